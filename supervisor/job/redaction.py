"""The secrets of one job, masked wherever its text goes."""

from collections.abc import Callable, Iterable, Iterator

from jobrunner.protocol.catalogue import SensitivePath
from jobrunner.protocol.masking import Mask, SecretNames, secrets_in
from jobrunner.protocol.masking.collector import ANY


def mask_of(
    parameters: object, context: object, names: SecretNames, sensitive: tuple[SensitivePath, ...] = ()
) -> Mask:
    """Return the mask of a job with these parameters and this context, as the engine sent them.

    `sensitive` is what the block's model has declared. The values come from the order, never from the child.
    """

    def secrets() -> Iterator[str]:
        yield from secrets_in(parameters, names, sensitive)
        yield from secrets_in(context, names)

    return mask_with(secrets, names, sensitive)


def mask_with(
    secrets: Iterable[str] | Callable[[], Iterable[str]],
    names: SecretNames,
    sensitive: tuple[SensitivePath, ...] = (),
) -> Mask:
    """Return the mask of a job whose order holds these secrets."""
    return Mask(secrets, names, {_field_of(path) for path in sensitive})


def _field_of(path: SensitivePath) -> str:
    return next((step for step in reversed(path) if step != ANY), "")
