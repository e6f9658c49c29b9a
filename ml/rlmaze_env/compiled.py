"""How the hot rules are compiled.

Kernels allocate nothing, so Numba's reference counting is switched off in them: its atomic counters on a dozen arrays cost
several times as much as the rules themselves. A kernel that allocates after all is refused by the compiler, never wrong.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])
_OPTIONS: dict[str, Any] = {"cache": True, "_nrt": False}


def kernel(function: _Function) -> _Function:
    """Compiles a function that allocates nothing."""
    compiled: _Function = njit(**_OPTIONS)(function)
    return compiled


def inlined_kernel(function: _Function) -> _Function:
    """Compiles a small function that allocates nothing into each of its callers."""
    compiled: _Function = njit(forceinline=True, **_OPTIONS)(function)
    return compiled
