"""`python -m monoface` is `monoface`."""

from monoface.main import main

main()
