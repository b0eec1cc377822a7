#!/bin/sh
# Makes an environment for Brain-Score beside that of Yoked: it needs numpy before 2.
#
#     sh make-environment.sh brainscore-env            then brainscore-env/bin/python
#     PYTHON=python3.12 sh make-environment.sh brainscore-env
set -eu

folder=${1:?"usage: sh make-environment.sh FOLDER"}
here=$(cd "$(dirname "$0")" && pwd)

"${PYTHON:-python3.11}" -m venv "$folder"
"$folder/bin/python" -m pip install "brainscore-core==2.5.0" "numpy<2"

# The model that calls Yoked, where Python finds it.
packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp "$here/yoked_brain_model.py" "$packages/"
"$folder/bin/python" -c 'import yoked_brain_model, numpy; print("ready, numpy", numpy.__version__)'
