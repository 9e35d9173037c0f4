"""What the clients of a served model share, whatever they speak."""

import abc
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from serving.face_model import FaceModel, ServingError, Signature

DEFAULT_TIMEOUT = 60.0
"""Seconds a request may take."""


class RemoteModel(FaceModel):
    """What both clients share: the model's address, and its signatures, asked for once."""

    def __init__(self, address: str, name: str, version: int | None, timeout: float) -> None:
        """See `connect`."""
        if timeout <= 0:
            raise ValueError(f"`timeout` must be positive. Received: {timeout}")
        self.address, self.name, self.version, self.timeout = address, name, version, timeout
        self._signatures: dict[str, Signature] | None = None

    def signatures(self) -> Mapping[str, Signature]:
        """Signatures by name, as the server describes them."""
        if self._signatures is None:
            try:
                self._signatures = self._fetch_signatures()
            except (AttributeError, DecodeError, KeyError, TypeError, ValueError) as error:
                raise ServingError(f"{self.address}: the answer is not TensorFlow Serving's: {error!r}") from error
        return self._signatures

    def signature(self, name: str) -> Signature:
        """One signature; asks the server anew before it says that there is none, for the model may be a newer one."""
        if name not in self.signatures():
            self._signatures = None
        return super().signature(name)

    @abc.abstractmethod
    def _fetch_signatures(self) -> dict[str, Signature]:
        """Asks the server what the model's signatures are."""
