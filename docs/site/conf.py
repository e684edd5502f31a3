"""Settings of Sphinx; `make docs` builds the site (build.py says how)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from neurox_lite.version import __version__

project = "neurox_lite"
author = "The neurox_lite authors"
copyright = "The neurox_lite authors, BSD-3-Clause"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.napoleon",
    "autoapi.extension",
    "sphinxcontrib.typer",
    "own_code",
    "math_as_svg",
]

# Pages.
root_doc = "index"
exclude_patterns = ["site/**", "jobs/**"]
myst_enable_extensions = ["colon_fence", "dollarmath", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
# Notebooks are run when they have changed; build.py says where their outputs are kept.
nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
html_math_renderer = "svg"
suppress_warnings = [
    "myst.header",  # a notebook may begin with any heading
    "ref.python",  # shapes in docstrings look like names
    "autoapi.python_import_resolution",  # of constants, which have no page
]
napoleon_google_docstring = False
napoleon_use_ivar = True  # the fields of a result are described in its docstring

# Every public name, and nothing else: build.py writes a page for each group of names.
autoapi_dirs = ["../../neurox_lite"]
autoapi_generate_api_docs = False
autoapi_options = ["members", "show-inheritance"]
autoapi_add_toctree_entry = False
autoapi_keep_files = False
add_module_names = False
autodoc_typehints = "none"

# Looks. Nothing is loaded from the net.
html_theme = "furo"
html_title = f"neurox_lite {__version__}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sourcelink = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
