// Packs the extension from a folder of its own: `npm run package`, after `npm run build`.
// Where the repository lies is known to git alone, so its address is put into the packed manifest and not into the tree:
// that of the remote `origin` (or of HWML_REPOSITORY) where it is one that others can reach; else those fields are left out.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packed, webAddress } from './manifest.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stage = join(root, 'dist', 'package');

function origin() {
  if (process.env.HWML_REPOSITORY !== undefined) {
    return process.env.HWML_REPOSITORY;
  }
  try {
    return execFileSync('git', ['remote', 'get-url', 'origin'], { cwd: root, encoding: 'utf-8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return ''; // no remote, or an archive without git
  }
}

const address = webAddress(origin());
if (address === undefined) {
  console.warn('no address of the repository is known: repository, bugs and homepage are left out (git remote add origin, or HWML_REPOSITORY)');
}
const manifest = packed(JSON.parse(readFileSync(join(root, 'package.json'), 'utf-8')), address);
rmSync(stage, { recursive: true, force: true });
mkdirSync(join(stage, 'dist'), { recursive: true });
for (const name of ['README.md', 'LICENSE', 'images', 'walkthrough', 'dist/extension.js', '.vscodeignore']) {
  cpSync(join(root, name), join(stage, name), { recursive: true });
}
writeFileSync(join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
const options = ['package', '--no-dependencies', '--no-rewrite-relative-links', '--out', join(root, 'hwml.vsix')];
if (address === undefined) {
  options.push('--allow-missing-repository');
}
execFileSync(process.execPath, [join(root, 'node_modules', '@vscode', 'vsce', 'vsce'), ...options], { cwd: stage, stdio: 'inherit' });
rmSync(stage, { recursive: true, force: true });
