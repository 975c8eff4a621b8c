// Sets up what a file needs and this machine lacks, with progress; the server says what that is.
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { ServerCommand } from './server';
import { ServerStatus } from './status';

// Nothing but these words is run, whatever a server says.
const REMEDY = /^chisel setup(?: --version \d+(?:\.\d+){1,3}(?:-[\w.]+)?)?$/;
const offered = new Set<string>();

/** Offer to set up what is missing, once for each. */
export async function offer(status: ServerStatus, found: () => Promise<ServerCommand | undefined>, output: vscode.LogOutputChannel): Promise<boolean> {
  const remedy = status.remedy ?? '';
  if (!REMEDY.test(remedy) || offered.has(remedy)) {
    return false;
  }
  offered.add(remedy);
  const setUp = 'Set up';
  const choice = await vscode.window.showWarningMessage(`hwml: ${status.message}`, setUp, 'Not now');
  return choice === setUp && setUpTools(remedy, await found(), output);
}

/** Run `hwml chisel setup`; its words are the progress. Whether it came to a good end. */
export async function setUpTools(remedy: string, found: ServerCommand | undefined, output: vscode.LogOutputChannel): Promise<boolean> {
  const program = found === undefined ? undefined : commandLine(found);
  if (program === undefined || !REMEDY.test(remedy)) {
    void vscode.window.showErrorMessage(`hwml: no interpreter with hwml was found. Run "hwml ${remedy}" in a terminal.`);
    return false;
  }
  const title = 'hwml: setting up the tool chain';
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const done = await vscode.window.withProgress(options, (progress, token) => {
    return new Promise<boolean>((resolve) => {
      const child = spawn(program.command, [...program.args, ...remedy.split(' ')], { cwd: os.tmpdir(), env: { ...process.env, ...found?.env } });
      token.onCancellationRequested(() => child.kill());
      const tell = (chunk: Buffer): void => {
        const line = chunk.toString('utf-8').trim().split('\n').pop() ?? '';
        output.info(line);
        progress.report({ message: line.slice(0, 120) });
      };
      child.stdout.on('data', tell);
      child.stderr.on('data', tell);
      child.on('error', (error) => {
        output.error(String(error));
        resolve(false);
      });
      child.on('close', (code) => resolve(code === 0));
    });
  });
  if (!done) {
    const choice = await vscode.window.showErrorMessage('hwml: the tool chain was not set up; the output says why.', 'Show output');
    if (choice !== undefined) {
      output.show();
    }
  }
  return done;
}

/** What a program says, whatever its exit code. */
export async function wordsOf(command: string, args: string[], env: Record<string, string>): Promise<string> {
  try {
    const done = await promisify(execFile)(command, args, { cwd: os.tmpdir(), env: { ...process.env, ...env, COLUMNS: '100' }, timeout: 120_000 });
    return done.stdout + done.stderr;
  } catch (error) {
    const failed = error as { stdout?: string; stderr?: string };
    return `${failed.stdout ?? ''}${failed.stderr ?? ''}` || String(error);
  }
}

/** How to run `hwml` with the server's own installation. */
export function commandLine(found: ServerCommand): { command: string; args: string[] } | undefined {
  if (found.interpreter !== undefined) {
    return { command: found.interpreter, args: ['-P', '-m', 'hwml_sdk.cli'] };
  }
  const beside = path.join(path.dirname(found.command), process.platform === 'win32' ? 'hwml.exe' : 'hwml');
  return existsSync(beside) ? { command: beside, args: [] } : undefined;
}
