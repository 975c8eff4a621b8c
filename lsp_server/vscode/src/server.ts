// Which program is the server: a path in the settings, an interpreter, or an environment of our own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';

const run = promisify(execFile);
const PROBE = 'import hwml_lsp, sys; print(sys.executable)';
const PROBE_TIMEOUT_MS = 20_000;
// -P: modules are not looked for in the current folder, which is the workspace's.
const SERVER = ['-P', '-m', 'hwml_lsp'];

export interface ServerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
  interpreter?: string;
}

/** The server to start, or undefined when no interpreter has it. */
export async function findServer(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<ServerCommand | undefined> {
  const settings = vscode.workspace.getConfiguration('hwml.server');
  const program = settings.get<string>('path', '');
  if (program !== '') {
    return { command: program, args: [], env: {} };
  }
  for (const interpreter of await candidates(context, settings)) {
    if (await hasServer(interpreter, output)) {
      return { command: interpreter, args: SERVER, env: {}, interpreter };
    }
  }
  if (settings.get<boolean>('manage', false) && vscode.workspace.isTrusted && (await setUp(context, output))) {
    const interpreter = managedInterpreter(context);
    return { command: interpreter, args: SERVER, env: {}, interpreter };
  }
  return undefined;
}

async function candidates(context: vscode.ExtensionContext, settings: vscode.WorkspaceConfiguration): Promise<string[]> {
  const chosen = settings.get<string>('interpreter', '');
  if (chosen !== '') {
    return [chosen]; // a wrong one is told, not passed over in silence
  }
  const managed = managedInterpreter(context);
  const usual = process.platform === 'win32' ? ['python'] : ['python3', 'python'];
  return [await ofPythonExtension(), existsSync(managed) ? managed : undefined, ...usual].filter((p): p is string => p !== undefined);
}

interface PythonApi {
  environments: { getActiveEnvironmentPath(): { path: string }; resolveEnvironment(e: unknown): Promise<{ executable: { uri?: vscode.Uri } } | undefined> };
}

/** The interpreter chosen in the Python extension; not in a restricted window, where the workspace may have chosen it. */
async function ofPythonExtension(): Promise<string | undefined> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (extension === undefined || !vscode.workspace.isTrusted) {
    return undefined;
  }
  const api = await extension.activate();
  const found = await api.environments?.resolveEnvironment(api.environments.getActiveEnvironmentPath());
  return found?.executable.uri?.fsPath;
}

async function hasServer(interpreter: string, output: vscode.LogOutputChannel): Promise<boolean> {
  try {
    await run(interpreter, ['-P', '-c', PROBE], { timeout: PROBE_TIMEOUT_MS, cwd: path.dirname(process.execPath) });
    return true;
  } catch (error) {
    output.info(`${interpreter} has no hwml: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
    return false;
  }
}

function managedFolder(context: vscode.ExtensionContext): string {
  return path.join(context.globalStorageUri.fsPath, 'environment');
}

function managedInterpreter(context: vscode.ExtensionContext): string {
  const parts = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
  return path.join(managedFolder(context), ...parts);
}

/** Make the managed environment and install hwml there; whether that worked. */
export async function setUp(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<boolean> {
  const source = vscode.workspace.getConfiguration('hwml.server').get<string>('source', 'hwml');
  const python = process.platform === 'win32' ? 'python' : 'python3';
  const steps: [string, string, string[]][] = [
    ['making an environment', python, ['-I', '-m', 'venv', managedFolder(context)]],
    [`installing ${source}`, managedInterpreter(context), ['-I', '-m', 'pip', 'install', '--upgrade', source]],
  ];
  return vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title: 'hwml' }, async (progress) => {
    await vscode.workspace.fs.createDirectory(context.globalStorageUri);
    for (const [title, command, args] of steps) {
      progress.report({ message: title });
      try {
        const done = await run(command, args, { maxBuffer: 16 * 1024 * 1024, cwd: context.globalStorageUri.fsPath });
        output.info(done.stdout);
      } catch (error) {
        output.error(String(error));
        void vscode.window.showErrorMessage(`hwml: ${title} failed; the output says why.`, 'Show output').then((c) => c && output.show());
        return false;
      }
    }
    return true;
  });
}
