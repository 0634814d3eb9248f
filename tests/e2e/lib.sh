# Shared by the scripts of this folder, which have read tools/lib.sh.

# Installs Microsoft's clients in this folder, as package-lock.json names them.
install_clients() {
  # Node.js may be there from elsewhere than Debian.
  command -v npm >/dev/null || need "Microsoft's clients" nodejs npm
  modules=$root/tests/e2e/node_modules
  cmp -s "$root/tests/e2e/package-lock.json" "$modules/installed" && return 0
  (cd "$root/tests/e2e" && timeout 300 npm ci --ignore-scripts --no-progress) &&
    cp "$root/tests/e2e/package-lock.json" "$modules/installed"
}
