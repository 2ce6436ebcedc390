#!/bin/sh
# Prints a Python that is new enough, or says in one sentence what is missing.
# Plain sh: this runs where nothing is installed yet.
for python in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    command -v "$python" >/dev/null 2>&1 || continue
    found=${found:-$python}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue
    if ! "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        package=$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
        echo "$python has no venv module. Install it (Debian, Ubuntu: apt-get install $package)." >&2
        echo "$python 缺少 venv 模块，请先安装（Debian、Ubuntu：apt-get install $package）。" >&2
        exit 1
    fi
    command -v "$python"
    exit 0
done
if [ -n "$found" ]; then
    version=$("$found" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "Python $version ($found) is too old: 3.11 or newer is needed. Name one: make demo PYTHON=/path/to/python3.11" >&2
    echo "Python $version（$found）版本过低，需要 3.11 或更新版本。可指定：make demo PYTHON=/path/to/python3.11" >&2
else
    echo "There is no Python here: 3.11 or newer is needed. Name one: make demo PYTHON=/path/to/python3.11" >&2
    echo "未找到 Python，需要 3.11 或更新版本。可指定：make demo PYTHON=/path/to/python3.11" >&2
fi
exit 1
