"""`monoface serve`."""

from pathlib import Path

import click


@click.command("serve")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    default=Path("out/serving/monoface"),
    show_default=True,
    help="A SavedModel, or the directory of numbered ones that the pipeline pushes to.",
)
@click.option("--name", default="monoface", show_default=True, help="Name under which to serve it.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for every one.")
@click.option("--port", type=click.IntRange(0, 65535), default=8500, show_default=True, help="gRPC; 0 for a free one.")
@click.option(
    "--rest-port", type=click.IntRange(0, 65535), default=8501, show_default=True, help="REST; 0 for a free one."
)
def command(model: Path, name: str, host: str, port: int, rest_port: int) -> None:
    """Serve a model over gRPC and REST, as TensorFlow Serving would.

    For machines without TensorFlow Serving's binary; clients cannot tell the difference. The latest version under the
    directory is served, and a newer one when it appears. Ctrl-C or SIGTERM lets requests under way end first.

    \b
    Then:
      monoface reconstruct PHOTO --out DIR --url grpc://localhost:8500
      curl http://localhost:8501/v1/models/monoface
    """  # noqa: D301 - click wants the character
    import logging
    import signal
    import threading

    from serving.face_model import ServingError
    from serving.server import Server

    logging.basicConfig(format="%(message)s")
    logging.getLogger("serving").setLevel(logging.INFO)
    try:
        server = Server(model, name, host, port, rest_port)
    except (ServingError, OSError) as error:
        raise click.UsageError(str(error)) from error
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with server:
        version = server.model.get(name).version
        click.echo(
            f"{name} version {version}: grpc://{host}:{server.port}  http://{host}:{server.rest_port}/v1/models/{name}"
        )
        stop.wait()
        click.echo("Stopping.")
