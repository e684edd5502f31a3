"""Which neurons of a language model carry a property, and does the model use them?"""

__version__ = "0.1.0"
