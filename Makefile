# Every verb a person needs; `make` alone lists them.
# Nothing but Python 3.11+, make and a package index is needed: PostgreSQL and Valkey come as wheels.

PYTHON ?=
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
TEMPLATES = $$(find templates -name '*.html')
# Where it is set, each of the many processes would compile all modules for itself: a second of work every time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo run test check fmt bench messages openapi vendor lock install install-dev clean

help: ## list these verbs · 列出所有命令
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PORT=8001 another port · 换端口      RESET=1 delete the demo's data and start over · 清空数据重新开始"
	@echo "  PYTHON=/path/to/python3.11 · 指定 Python      DATABASE_URL, BROKER_URL your own servers · 自备服务器"

demo: $(VENV)/run.stamp ## everything with demo data: prints the address and one account per role · 启动演示
	@exec $(BIN)/python -m matchmaking.supervisor --demo --port "$(PORT)" $(if $(filter 1 yes true,$(RESET)),--reset)

run: $(VENV)/run.stamp ## web, worker and beat without demo data · 启动（无演示数据）
	@exec $(BIN)/python -m matchmaking.supervisor --port "$(PORT)" $(if $(filter 1 yes true,$(RESET)),--reset)

test: $(VENV)/dev.stamp compiled ## all tests on real PostgreSQL and Valkey; TESTS=tests/events for a part · 运行测试
	@$(BIN)/python -m pytest --durations=20 $(if $(TESTS),$(TESTS),-n 3 --dist loadfile)

check: $(VENV)/dev.stamp ## format, lint, types, import contracts, migrations, translations, API schema · 静态检查
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djade --target-version 5.2 --check $(TEMPLATES)
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/translations.py
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --lang en --file $(VENV)/openapi.yaml
	diff -u openapi.yaml $(VENV)/openapi.yaml || { echo "openapi.yaml is out of date: run make openapi"; exit 1; }
	@echo "All checks passed."

fmt: $(VENV)/dev.stamp ## format code and templates · 格式化
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djade --target-version 5.2 $(TEMPLATES)

bench: $(VENV)/dev.stamp compiled ## benchmarks/*.py in order, JSON lines, each goal met or not; PARTS="pages sides" for some · 基准测试
	@$(BIN)/python -m benchmarks $(PARTS)

messages: $(VENV)/dev.stamp ## collect texts to translate and compile them (needs gettext) · 更新译文
	$(BIN)/python manage.py makemessages -l zh_Hans --no-obsolete --no-wrap --no-location -i $(VENV) -i .servers
	$(MAKE) compiled

openapi: $(VENV)/dev.stamp ## write openapi.yaml anew · 更新接口描述
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --lang en --file openapi.yaml

vendor: ## fetch the browser libraries in static/vendor anew (needs npm) · 更新前端库
	@sh scripts/vendor.sh

lock: ## pin every dependency anew in requirements.lock · 更新依赖锁定
	@python=$$(PYTHON="$(PYTHON)" sh scripts/python.sh) && exec "$$python" scripts/lock.py

install: $(VENV)/run.stamp ## only the virtual environment, for running · 仅安装运行环境

install-dev: $(VENV)/dev.stamp ## the same with what tests and checks need · 安装开发环境

clean: ## delete the virtual environment and caches; the data stays · 清理（保留数据）
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# ---- what the verbs stand on ----

$(VENV)/run.stamp: requirements.lock
	@python=$$(PYTHON="$(PYTHON)" sh scripts/python.sh) && exec "$$python" scripts/install.py $(VENV)
	@touch $@

$(VENV)/dev.stamp: requirements.lock
	@python=$$(PYTHON="$(PYTHON)" sh scripts/python.sh) && exec "$$python" scripts/install.py $(VENV) --dev
	@touch $(VENV)/run.stamp $@

.PHONY: compiled
compiled:
	@if [ -d locale ]; then $(BIN)/pybabel -q compile -d locale -D django; fi
