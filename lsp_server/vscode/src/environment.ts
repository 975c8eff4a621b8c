// The environment that the extension keeps: what is installed into it, and from where. Nothing here is read from a workspace.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { showPage } from './pages';

const run = promisify(execFile);

/** What pip installs (a name, a wheel or a folder), and the index it looks names up in; '' for pip's own. */
export interface Source {
  source: string;
  index: string;
}

export function managedFolder(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'environment');
}

export function managedInterpreter(context: vscode.ExtensionContext): string {
  const parts = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  return path.join(managedFolder(context), ...parts);
}

/** The source that the user's settings name; undefined where they name none. */
export function statedSource(): Source | undefined {
  const settings = vscode.workspace.getConfiguration('hwml.server');
  const source = settings.get<string>('source', '').trim();
  const index = settings.get<string>('index', '').trim();
  return source === '' && index === '' ? undefined : { source: source || 'hwml', index };
}

/** Ask where hwml comes from, and keep the answer in the user's settings; undefined where the person went away. */
export async function askForSource(context: vscode.ExtensionContext): Promise<Source | undefined> {
  const folder = { label: '$(folder) A folder', detail: 'A checkout of hwml, or an unpacked source archive' };
  const wheel = { label: '$(file-zip) A wheel or archive', detail: 'hwml-….whl or hwml-….tar.gz' };
  const index = { label: '$(globe) A package index', detail: 'Its address; pip looks up the name hwml there' };
  const words = { label: '$(terminal) Show what to type', detail: 'To install it yourself, in a terminal of your own' };
  const chosen = await vscode.window.showQuickPick([folder, wheel, index, words], { title: 'hwml: where is hwml installed from?' });
  if (chosen === words) {
    await showWhatToType(context);
    return undefined;
  }
  const found = chosen === undefined ? undefined : chosen === index ? await askForIndex() : await askForFile(chosen === folder);
  if (found !== undefined) {
    const settings = vscode.workspace.getConfiguration('hwml.server');
    await settings.update('source', found.index === '' ? found.source : undefined, vscode.ConfigurationTarget.Global);
    await settings.update('index', found.index === '' ? undefined : found.index, vscode.ConfigurationTarget.Global);
  }
  return found;
}

async function askForIndex(): Promise<Source | undefined> {
  const typed = await vscode.window.showInputBox({
    title: 'hwml: package index',
    prompt: 'The address of the index that pip looks hwml up in',
    placeHolder: 'https://…/simple',
    ignoreFocusOut: true,
    validateInput: (text) => (/^(https?|file):\/\/\S+$/.test(text.trim()) ? undefined : 'an address such as https://…/simple'),
  });
  return typed === undefined ? undefined : { source: 'hwml', index: typed.trim() };
}

async function askForFile(folder: boolean): Promise<Source | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: !folder,
    canSelectFolders: folder,
    filters: folder ? undefined : { 'wheels and archives': ['whl', 'gz', 'zip'] },
    openLabel: 'Install from here',
    title: 'hwml: install from',
  });
  const source = chosen?.[0]?.fsPath;
  if (source === undefined) {
    return undefined;
  }
  if (folder && !['pyproject.toml', 'setup.py'].some((name) => existsSync(path.join(source, name)))) {
    void vscode.window.showErrorMessage(`hwml: ${source} has no pyproject.toml: it is no folder that pip can install.`);
    return undefined;
  }
  return { source, index: '' };
}

/** The same in words, for those who would rather do it themselves. */
export async function showWhatToType(context: vscode.ExtensionContext): Promise<void> {
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const content = [
    '# What to type, in a terminal',
    '',
    'Python 3.11 or newer is needed (`' + python + ' --version`). On Debian and Ubuntu: `sudo apt install python3 python3-venv`.',
    '',
    '```sh',
    `${python} -m venv "${managedFolder(context)}"`,
    `"${managedInterpreter(context)}" -m pip install FROM`,
    '```',
    '',
    'FROM is the folder of a checkout, a wheel (`hwml-….whl`), or `hwml` where an index has it (`PIP_INDEX_URL` is its',
    'address). That environment is looked for by itself: run `hwml: Restart the language server` afterwards. Any other one is',
    'as good once its interpreter is named in `hwml.server.interpreter`.',
    '',
  ].join('\n');
  await showPage('Install hwml', content);
}

/** Make the environment and install hwml there; whether that worked. */
export async function install(context: vscode.ExtensionContext, python: string, from: Source, output: vscode.LogOutputChannel): Promise<boolean> {
  const env = from.index === '' ? process.env : { ...process.env, PIP_INDEX_URL: from.index };
  const steps: [string, string, string[]][] = [
    ['making an environment', python, ['-I', '-m', 'venv', managedFolder(context)]],
    [`installing ${from.source}`, managedInterpreter(context), ['-I', '-m', 'pip', 'install', '--upgrade', '--', from.source]],
  ];
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'hwml' }, async (progress) => {
    await vscode.workspace.fs.createDirectory(context.globalStorageUri);
    for (const [title, command, args] of steps) {
      progress.report({ message: title });
      try {
        const done = await run(command, args, { maxBuffer: 16 * 1024 * 1024, cwd: context.globalStorageUri.fsPath, env });
        output.info(done.stdout);
      } catch (error) {
        output.error(String(error));
        void tellFailure(context, title, error, output);
        return false;
      }
    }
    return true;
  });
}

async function tellFailure(context: vscode.ExtensionContext, title: string, error: unknown, output: vscode.LogOutputChannel): Promise<void> {
  const said = String((error as { stderr?: string }).stderr ?? error).trim().split('\n');
  const last = said.filter((line) => /^error|^ERROR|ensurepip|No module/.test(line)).pop() ?? said.pop() ?? '';
  const show = 'Show output';
  const type = 'Show what to type';
  const choice = await vscode.window.showErrorMessage(`hwml: ${title} failed: ${last.slice(0, 200)}`, show, type);
  if (choice === show) {
    output.show();
  } else if (choice === type) {
    await showWhatToType(context);
  }
}
