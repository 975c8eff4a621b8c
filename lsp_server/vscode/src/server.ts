// Which program is the server: a path in the settings, an interpreter, or an environment of our own.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { askForSource, install, managedInterpreter, showWhatToType, statedSource } from './environment';

const run = promisify(execFile);
const OLDEST: readonly [number, number] = [3, 11];
// The current folder, which is no workspace, is taken from the path all the same; -P would end an older Python.
const PROBE = 'import sys; print("%d.%d" % sys.version_info[:2]); sys.path[:] = [p for p in sys.path if p]; import hwml_lsp';
const PROBE_TIMEOUT_MS = 20_000;
// -P: modules are not looked for in the current folder, which is the workspace's.
const SERVER = ['-P', '-m', 'hwml_lsp'];
const USUAL = process.platform === 'win32' ? ['python'] : ['python3', 'python'];

export interface ServerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
  interpreter?: string;
}

/** What an interpreter is good for; absent: there is no such program. */
type Probe = 'ready' | 'lacks hwml' | 'too old' | 'absent';

export interface Search {
  found?: ServerCommand;
  /** Why nothing was found, in words for a person. */
  reason: string;
}

/** The server to start, or why no interpreter has it. */
export async function findServer(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<Search> {
  const settings = vscode.workspace.getConfiguration('hwml.server');
  const program = settings.get<string>('path', '');
  if (program !== '') {
    return { found: { command: program, args: [], env: {} }, reason: '' };
  }
  const seen = new Map<string, Probe>();
  for (const interpreter of await candidates(context, settings)) {
    const probe = await probeOf(interpreter, output);
    seen.set(interpreter, probe);
    if (probe === 'ready') {
      return { found: at(interpreter), reason: '' };
    }
  }
  const from = statedSource();
  if (settings.get<boolean>('manage', false) && vscode.workspace.isTrusted && from !== undefined) {
    const python = await usualPython(output);
    if (python !== undefined && (await install(context, python, from, output))) {
      return { found: at(managedInterpreter(context)), reason: '' };
    }
  }
  return { reason: reasonOf(seen, settings.get<string>('interpreter', '')) };
}

function at(interpreter: string): ServerCommand {
  return { command: interpreter, args: SERVER, env: {}, interpreter };
}

function reasonOf(seen: Map<string, Probe>, chosen: string): string {
  const oldest = OLDEST.join('.');
  const kinds = new Set(seen.values());
  if (chosen !== '') {
    const what = { absent: 'is no program that runs', 'too old': `is older than Python ${oldest}`, 'lacks hwml': 'has no hwml', ready: '' };
    return `${chosen} (hwml.server.interpreter) ${what[seen.get(chosen) ?? 'absent']}.`;
  }
  if (kinds.has('lacks hwml')) {
    const where = [...seen].filter(([, probe]) => probe === 'lacks hwml').map(([name]) => name);
    return `hwml is not installed in the Python that was found (${where[0]}).`;
  }
  return kinds.has('too old') ? `the Python that was found is older than ${oldest}.` : `no Python was found ${vscode.env.remoteName === undefined ? 'on this machine' : 'on the machine of this window'}.`;
}

async function candidates(context: vscode.ExtensionContext, settings: vscode.WorkspaceConfiguration): Promise<string[]> {
  const chosen = settings.get<string>('interpreter', '');
  if (chosen !== '') {
    return [chosen]; // a wrong one is told, not passed over in silence
  }
  const managed = managedInterpreter(context);
  return [await ofPythonExtension(), existsSync(managed) ? managed : undefined, ...USUAL].filter((p): p is string => p !== undefined);
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

async function probeOf(interpreter: string, output: vscode.LogOutputChannel): Promise<Probe> {
  try {
    await run(interpreter, ['-c', PROBE], { timeout: PROBE_TIMEOUT_MS, cwd: path.dirname(process.execPath) });
    return 'ready';
  } catch (error) {
    const failed = error as { code?: unknown; stdout?: string; stderr?: string };
    const version = /^(\d+)\.(\d+)/.exec(failed.stdout ?? '');
    const [major, minor] = [Number(version?.[1]), Number(version?.[2])];
    const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
    const probe: Probe = version === null ? 'absent' : old ? 'too old' : 'lacks hwml';
    output.info(`${interpreter}: ${probe}${version === null ? ` (${String(failed.code ?? error)})` : `, Python ${version[0]}`}`);
    return probe;
  }
}

/** A Python that environments can be made with. */
async function usualPython(output: vscode.LogOutputChannel): Promise<string | undefined> {
  for (const name of USUAL) {
    if (['ready', 'lacks hwml'].includes(await probeOf(name, output))) {
      return name;
    }
  }
  return undefined;
}

/** Set up the environment that the extension keeps, from where the user says; whether that worked. */
export async function setUp(context: vscode.ExtensionContext, output: vscode.LogOutputChannel): Promise<boolean> {
  const python = await usualPython(output);
  if (python === undefined) {
    const type = 'Show what to type';
    const choice = await vscode.window.showErrorMessage(`hwml: no Python ${OLDEST.join('.')} or newer was found to make an environment with.`, type);
    if (choice === type) {
      await showWhatToType(context);
    }
    return false;
  }
  const from = statedSource() ?? (await askForSource(context));
  return from !== undefined && install(context, python, from, output);
}
