"""Many copies of a world, cheaper than `copy.deepcopy`: frozen values of the domain and of fakes are shared."""

from __future__ import annotations

import io
import pickle
from typing import Any, Final

_VALUES: Final = ("consumer.domain.", "consumer.ports", "tests.support.fakes.")


class Copies:
    """Takes a picture of something; each copy is of that moment."""

    def __init__(self, original: object) -> None:
        self._kept: list[object] = []
        self._data = io.BytesIO()
        _Dumper(self._data, self._kept).dump(original)

    def one(self) -> Any:
        """Another copy."""
        self._data.seek(0)
        return _Loader(self._data, self._kept).load()


class _Dumper(pickle.Pickler):
    def __init__(self, file: io.BytesIO, kept: list[object]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self._kept = kept

    def persistent_id(self, value: Any) -> int | None:
        kind = type(value)
        parameters = getattr(kind, "__dataclass_params__", None)
        if parameters is None or not parameters.frozen or not kind.__module__.startswith(_VALUES):
            return None
        self._kept.append(value)
        return len(self._kept) - 1


class _Loader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, kept: list[object]) -> None:
        super().__init__(file)
        self._kept = kept

    def persistent_load(self, number: Any) -> object:
        return self._kept[number]
