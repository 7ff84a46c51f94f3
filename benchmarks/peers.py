"""The other libraries: whether they are here, which version, how many threads they take."""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Peer:
    """One library.

    Attributes
    ----------
    name : str
        As it is written in the report.
    module : str
        What is imported.
    packages : tuple of str
        The distributions that bring it.
    set_threads : callable or None
        Called as ``set_threads(module, threads)``; None for a library that has one thread only.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    set_threads: Callable[[Any, int], None] | None = None

    @functools.cached_property
    def loaded(self) -> Any:
        """The module, or None where it is missing."""
        try:
            return importlib.import_module(self.module)
        except ImportError:
            return None

    def ready(self, threads: int) -> bool:
        """Say whether it is here and can use so many threads, and make it use them."""
        if self.loaded is None or (threads > 1 and self.set_threads is None):
            return False
        if self.set_threads is not None:
            self.set_threads(self.loaded, threads)
        return True

    @property
    def version(self) -> str:
        """The version, or "missing"."""
        if self.loaded is None:
            return "missing"
        for package in self.packages:
            try:
                return version(package)
            except PackageNotFoundError:
                continue
        return str(getattr(self.loaded, "__version__", "unknown"))


def _opencv(module: Any, threads: int) -> None:
    importlib.import_module("cv2").setNumThreads(threads)


def _diplib(module: Any, threads: int) -> None:
    module.SetNumberOfThreads(threads)


def _simpleitk(module: Any, threads: int) -> None:
    module.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _vtk(module: Any, threads: int) -> None:
    core = importlib.import_module("vtkmodules.vtkCommonCore")
    core.vtkMultiThreader.SetGlobalMaximumNumberOfThreads(threads)
    core.vtkMultiThreader.SetGlobalDefaultNumberOfThreads(threads)


_CV = ("opencv-contrib-python-headless", "opencv-contrib-python")
_CV_ALL = (*_CV, "opencv-python-headless", "opencv-python")

NUMPY = Peer("numpy", "numpy", ("numpy",))
SCIPY = Peer("scipy", "scipy.ndimage", ("scipy",))
SKIMAGE = Peer("scikit-image", "skimage.util", ("scikit-image",))
RESTORATION = Peer("scikit-image", "skimage.restoration", ("scikit-image",))
MEDPY = Peer("MedPy", "medpy.filter.smoothing", ("medpy",))
DIPLIB = Peer("DIPlib", "diplib", ("diplib",), _diplib)
SIMPLEITK = Peer("SimpleITK", "SimpleITK", ("SimpleITK",), _simpleitk)
OPENCV = Peer("OpenCV", "cv2", _CV_ALL, _opencv)
XIMGPROC = Peer("OpenCV ximgproc", "cv2.ximgproc", _CV, _opencv)
BM3D = Peer("BM3D", "bm3d", ("bm3d",))
VTK = Peer("VTK", "vtkmodules.vtkImagingGeneral", ("vtk",), _vtk)

PEERS = (NUMPY, SCIPY, SKIMAGE, MEDPY, DIPLIB, SIMPLEITK, OPENCV, XIMGPROC, VTK, BM3D)


def versions() -> dict[str, str]:
    """Return the version of every library, or "missing"."""
    return {peer.name: peer.version for peer in PEERS}
