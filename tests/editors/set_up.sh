#!/usr/bin/env bash
# Set up the editors that .ci/full drives, in the folder given: newer Helix and Emacs from Debian's archive unpacked
# beside the system, code-server and Playwright from npm. Prints the variables that the tests read. Debian only; uses the
# machine's own apt and npm configuration. Chromium, tmux, patchelf and ripgrep must be there (apt install chromium tmux
# patchelf ripgrep).
#   tests/editors/set_up.sh FOLDER [helix] [emacs] [code-server]
set -euo pipefail
root=$(mkdir -p "$1" && cd "$1" && pwd)
shift
parts=("${@:-helix emacs code-server}")

# Packages of another suite, unpacked into a folder: the system's own package state is not touched.
unpack() { # suite folder package...
  local suite=$1 folder=$2
  shift 2
  local state=$root/apt-$suite
  mkdir -p "$state/lists/partial" "$state/archives/partial" "$folder"
  local mirror
  mirror=$(grep -rhoE '(https?|file)://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 | tr -d ' ' || true)
  local name
  for name in "$suite" "${suite%-backports}"; do # what a backport depends on is in the suite itself
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $name main"
  done | sort -u >"$state/sources.list"
  local options=(-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$state/lists"
    -o Dir::State::Status=/dev/null -o "Dir::Cache::Archives=$state/archives" -o APT::Install-Recommends=false)
  apt-get -q "${options[@]}" update >&2
  apt-get -q "${options[@]}" --download-only -y -t "$suite" install "$@" >&2
  for package in "$state"/archives/*.deb; do dpkg -x "$package" "$folder"; done
}

# Let a program find the libraries it was unpacked with.
relocate() { # folder program
  local loader
  loader=$(find "$1/lib" "$1/usr/lib" -name ld-linux-x86-64.so.2 -path '*x86_64-linux-gnu*' 2>/dev/null | head -1 || true)
  patchelf --set-interpreter "$loader" --force-rpath \
    --set-rpath "$1/usr/lib/x86_64-linux-gnu:$1/lib/x86_64-linux-gnu" "$2"
}

helix() {
  local folder=$root/helix
  unpack trixie "$folder" hx
  local program
  program=$(find "$folder" -type f -name hx -perm -u+x | head -1)
  relocate "$folder" "$program"
  printf '#!/bin/sh\nexport HELIX_RUNTIME=%s\nexec %s "$@"\n' "$(dirname "$(find "$folder" -type d -path '*hx/runtime' | head -1)")/runtime" "$program" >"$root/hx"
  chmod +x "$root/hx"
  echo "export HWML_HELIX=$root/hx"
}

emacs() {
  local folder=$root/emacs
  unpack bookworm-backports "$folder" emacs-nox
  local program lisp dump
  program=$(find "$folder/usr/bin" -type f -name 'emacs-nox' | head -1)
  relocate "$folder" "$program"
  lisp=$(find "$folder/usr/share/emacs" -maxdepth 2 -type d -name lisp | head -1)
  dump=$(find "$folder" -name '*.pdmp' | head -1)
  cat >"$root/emacs30" <<WRAPPER
#!/bin/sh
export EMACSLOADPATH=$lisp:$(find "$lisp" -type d | grep -v obsolete | tr '\n' ':')
export EMACSDATA=$(dirname "$lisp")/etc EMACSDOC=$(dirname "$lisp")/etc
export EMACSPATH=$(dirname "$dump")
exec $program --dump-file=$dump "\$@"
WRAPPER
  chmod +x "$root/emacs30"
  echo "export HWML_EMACS=$root/emacs30"
  # What c++-ts-mode and scala-mode stand on: the grammar, built here, and the mode's own file.
  (cd "$folder" && npm pack --silent tree-sitter-cpp@0.23.4 >&2 && tar xzf tree-sitter-cpp-*.tgz)
  mkdir -p "$root/grammars"
  cc -O1 -shared -fPIC -I "$folder/package/src" "$folder/package/src/parser.c" "$folder/package/src/scanner.c" \
    -o "$root/grammars/libtree-sitter-cpp.so"
  echo "export HWML_GRAMMARS=$root/grammars"
  unpack bookworm "$folder/scala" elpa-scala-mode
  echo "export HWML_SCALA_MODE=$(dirname "$(find "$folder/scala" -name scala-mode.el | head -1)")"
}

code-server() {
  mkdir -p "$root/code-server" && cd "$root/code-server"
  npm install --ignore-scripts --no-audit --no-fund code-server@4.100.3 playwright-core >&2
  local code=$PWD/node_modules/code-server
  npm rebuild argon2 >&2 || true
  cd "$code/lib/vscode"
  npm install --ignore-scripts --omit=dev >&2
  find . -type d -path '*@vscode/ripgrep' -exec sh -c 'mkdir -p "$1/bin" && cp "$(command -v rg)" "$1/bin/rg"' _ {} \;
  npm rebuild >&2 || true # a post-install step of node-pty wants node-gyp from the net; the binary is built before
  ln -sfn node_modules node_modules.asar
  (cd extensions && npm install --ignore-scripts --omit=dev >&2)
  echo "export HWML_CODE_SERVER=$code/out/node/entry.js"
  echo "export HWML_PLAYWRIGHT=$root/code-server/node_modules/playwright-core"
}

for part in ${parts[*]}; do "$part"; done
