"""What setup.cfg cannot say: packages are found, and data and docs lie beside the package."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages(include=["neurox_lite*"], exclude=["*.__pycache__*"]),
        "neurox_lite.data",
        "neurox_lite.docs",
    ]
)
