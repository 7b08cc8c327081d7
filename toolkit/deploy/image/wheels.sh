# Installs wheels for arm64 into a folder and compiles them: sh wheels.sh FOLDER PIP_ARGUMENT…
# Nothing is resolved and nothing is built: what is not listed, or has no wheel, is not installed.
set -eu
folder="$1"
shift
mkdir -p "$folder"
python3 -m pip install --no-deps --no-compile --only-binary=:all: --target "$folder" \
    --platform manylinux_2_34_aarch64 --platform manylinux_2_31_aarch64 --platform manylinux_2_28_aarch64 \
    --platform manylinux_2_26_aarch64 --platform manylinux_2_24_aarch64 --platform manylinux_2_17_aarch64 \
    --platform manylinux2014_aarch64 "$@"
rm -rf "$folder/bin"
# A package may carry files for other versions of Python; they are reported and left as source.
python3 -m compileall -q --invalidation-mode unchecked-hash -s "$folder" -p /var/task "$folder" ||
    echo "some files above were left as source"
