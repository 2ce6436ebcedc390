#!/bin/sh
# Prints a Python that is new enough, or says in one sentence what is missing.
# Plain sh: this runs where nothing is installed yet.

# choose PATTERN NAME…: the first one on the path that will do, leaving out places that match the pattern.
choose() {
    pattern=$1
    shift
    for python in "$@"; do
        case $python in
            */*) places=$python ;;
            *) places=$(IFS=:; for folder in $PATH; do printf '%s\n' "$folder/$python"; done) ;;
        esac
        while IFS= read -r place; do
            case $place in $pattern) continue ;; esac
            [ -x "$place" ] || continue
            # Its answer is read: many a program ends well whatever it is told.
            version=$("$place" -c 'import sys; print("%d.%d %s" % (sys.version_info[:2] + (sys.version_info >= (3, 11),)))' 2>/dev/null)
            case $version in
                *" True") ;;
                *" False") old=${old:-$python} old_version=${old_version:-${version% *}}; continue ;;
                *) continue ;;
            esac
            if ! "$place" -c 'import venv, ensurepip' 2>/dev/null; then
                bare=${bare:-$python} bare_at=${bare_at:-$place}
                continue
            fi
            echo "$place"
            exit 0
        done <<END
$places
END
    done
}

# A shim of pyenv stands for a Python compiled on the spot, without the profile-guided optimisation that
# distributions build with: tests and demo take a third longer on it. So it is the second choice.
if [ -n "$PYTHON" ]; then
    choose '' "$PYTHON"
else
    choose '*/shims/*' python3 python3.14 python3.13 python3.12 python3.11
    choose '' python3 python3.14 python3.13 python3.12 python3.11
fi

if [ -n "$bare" ]; then
    package=$("$bare_at" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')
    echo "$bare has no venv module. Install it (Debian, Ubuntu: apt-get install $package)." >&2
    echo "$bare 缺少 venv 模块，请先安装（Debian、Ubuntu：apt-get install $package）。" >&2
elif [ -n "$old" ]; then
    echo "Python $old_version ($old) is too old: 3.11 or newer is needed. Name one: make demo PYTHON=/path/to/python3.11" >&2
    echo "Python $old_version（$old）版本过低，需要 3.11 或更新版本。可指定：make demo PYTHON=/path/to/python3.11" >&2
elif [ -n "$PYTHON" ]; then
    echo "PYTHON names $PYTHON, which is no Python that runs. Name one of 3.11 or newer: make demo PYTHON=/path/to/python3.11" >&2
    echo "PYTHON 指定的 $PYTHON 不是可运行的 Python，请指定 3.11 或更新版本：make demo PYTHON=/path/to/python3.11" >&2
else
    echo "There is no Python here: 3.11 or newer is needed. Name one: make demo PYTHON=/path/to/python3.11" >&2
    echo "未找到 Python，需要 3.11 或更新版本。可指定：make demo PYTHON=/path/to/python3.11" >&2
fi
exit 1
