// Starts the language server, shows its state, and offers its commands. Everything that is known comes from the server.
import * as vscode from 'vscode';
import { LanguageClient, LanguageClientOptions, ServerOptions, State } from 'vscode-languageclient/node';
import { EmittedText } from './emitted';
import { showWhatToType } from './environment';
import { KernelList } from './kernels';
import { registerPages } from './pages';
import * as palette from './palette';
import { findServer, setUp, ServerCommand } from './server';
import { StatusItem, ServerStatus } from './status';
import { commandLine, offer, setUpTools, wordsOf } from './tools';

const SELECTOR = [
  ...['c', 'cpp', 'scala'].map((language) => ({ scheme: 'file', language })),
  ...['hwml.toml', 'hls_config.cfg'].map((name) => ({ scheme: 'file', pattern: `**/${name}` })),
];

let client: LanguageClient | undefined;
let output: vscode.LogOutputChannel;
let status: StatusItem;
let kernels: KernelList;
let emitted: EmittedText;
let settingUp = false; // what it writes into the settings must not say again, meanwhile, that the server is missing

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  output = vscode.window.createOutputChannel('hwml', { log: true });
  status = new StatusItem();
  kernels = new KernelList((command) => ask(command, { quiet: true }));
  emitted = new EmittedText((command, ...args) => ask(command, { quiet: true }, ...args));
  context.subscriptions.push(output, status, kernels, emitted, registerPages());
  registerCommands(context);
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (!settingUp && (event.affectsConfiguration('hwml.server') || event.affectsConfiguration('hwml.generate'))) {
        await restart(context);
      }
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => restart(context)),
    vscode.window.onDidChangeActiveTextEditor((editor) => status.follow(editor?.document.uri.toString())),
  );
  await start(context);
}

export async function deactivate(): Promise<void> {
  await client?.stop();
}

async function start(context: vscode.ExtensionContext): Promise<void> {
  const { found, reason } = await findServer(context, output);
  if (found === undefined) {
    await vscode.commands.executeCommand('setContext', 'hwml.running', false);
    void tellMissing(context, reason);
    return;
  }
  client = makeClient(found);
  client.onDidChangeState((event) => {
    if (event.newState === State.Stopped) {
      status.failed('The server has stopped');
    }
  });
  client.onNotification('hwml/status', (update: ServerStatus) => {
    status.update(update);
    if (update.state === 'ready') {
      kernels.refresh();
      emitted.update(update.uri, update.version);
      void offer(update, async () => (await findServer(context, output)).found, output).then(async (done) => {
        if (done) {
          await restart(context);
        }
      });
    }
  });
  client.onNotification('hwml/kernels', () => kernels.refresh());
  try {
    await client.start();
    status.started();
    kernels.refresh();
    await vscode.commands.executeCommand('setContext', 'hwml.running', true);
  } catch (error) {
    output.error(String(error));
    status.failed('The server did not start');
    void vscode.window
      .showErrorMessage('hwml: the server did not start.', 'Show output', 'Run hwml doctor')
      .then((choice) => choice && vscode.commands.executeCommand(choice === 'Show output' ? 'hwml.showOutput' : 'hwml.doctor'));
  }
}

function makeClient(found: ServerCommand): LanguageClient {
  const trust = vscode.workspace.isTrusted ? ['--trust'] : [];
  const run = { command: found.command, args: [...found.args, ...trust, ...modelArguments()], options: { env: { ...process.env, ...found.env } } };
  output.info(`starting ${run.command} ${run.args.join(' ')}`);
  const server: ServerOptions = { run, debug: run };
  const options: LanguageClientOptions = {
    documentSelector: SELECTOR,
    outputChannel: output,
    // "hwml" itself is asked for by the server; changes of it are told without values.
    synchronize: { configurationSection: undefined },
    middleware: {
      executeCommand: async (command, args, next) =>
        command === 'hwml.details' ? showDetails(args) : next(command, args),
    },
  };
  const made = new LanguageClient('hwml', 'hwml', server, options);
  made.registerFeature({
    fillClientCapabilities: (capabilities) => {
      capabilities.experimental = { ...capabilities.experimental, hwmlStatus: true };
    },
    initialize: () => undefined,
    getState: () => ({ kind: 'static' }),
    clear: () => undefined,
  });
  return made;
}

// The model that the user named. Of the user's own settings alone: a workspace has no say in what is asked, and where.
function modelArguments(): string[] {
  const settings = vscode.workspace.getConfiguration('hwml.generate');
  return ['model', 'endpoint', 'adapter'].flatMap((name) => {
    const value = settings.inspect<string>(name)?.globalValue ?? '';
    return value === '' ? [] : [`--${name}`, value];
  });
}

// A click on a lens shows the hover of what it stands above.
async function showDetails(args: unknown[]): Promise<void> {
  const [uri, line, character] = args as [string, number, number];
  const editor = await vscode.window.showTextDocument(vscode.Uri.parse(uri));
  const place = new vscode.Position(line, character);
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  await vscode.commands.executeCommand('editor.action.showHover', { focus: 'noAutoFocus' });
}

async function restart(context: vscode.ExtensionContext): Promise<void> {
  const old = client;
  client = undefined;
  try {
    await old?.stop();
  } catch (error) {
    output.warn(`stopping: ${String(error)}`); // one that never started cannot be stopped
  }
  await start(context);
}

async function tellMissing(context: vscode.ExtensionContext, reason: string): Promise<void> {
  status.failed(`No server: ${reason}`);
  const setUpHere = 'Set up an environment';
  const choose = 'Choose an interpreter';
  const type = 'Show what to type';
  const choice = await vscode.window.showWarningMessage(`hwml: ${reason}`, setUpHere, choose, type);
  if (choice === setUpHere) {
    await vscode.commands.executeCommand('hwml.setUp');
  } else if (choice === choose) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'hwml.server.interpreter');
  } else if (choice === type) {
    await showWhatToType(context);
  }
}

function registerCommands(context: vscode.ExtensionContext): void {
  const commands: Record<string, () => unknown> = {
    'hwml.restartServer': () => restart(context),
    'hwml.showOutput': () => output.show(),
    'hwml.doctor': () => doctor(context),
    'hwml.setUp': async () => {
      settingUp = true;
      const done = await setUp(context, output).finally(() => (settingUp = false));
      if (done) {
        await restart(context);
      }
    },
    'hwml.showWhatToType': () => showWhatToType(context),
    'hwml.setUpTools': async () => {
      if (await setUpTools('chisel setup', (await findServer(context, output)).found, output)) {
        await restart(context);
      }
    },
    'hwml.pinCurrentBaseline': () => ask('hwml.pinBaseline', {}, vscode.window.activeTextEditor?.document.uri.toString()),
    'hwml.dropBaseline': () => ask('hwml.clearBaseline'),
    'hwml.openModelCard': () => palette.showModelCard((command, ...args) => ask(command, {}, ...args)),
    'hwml.emitBeside': () => vscode.window.activeTextEditor && emitted.show(vscode.window.activeTextEditor.document.uri),
    'hwml.goToBottleneck': () => palette.goToBottleneck((command, ...args) => ask(command, {}, ...args)),
    'hwml.generateHere': () => palette.generateHere((command, ...args) => ask(command, {}, ...args)),
    'hwml.nextFinding': () => palette.nextFinding(),
    'hwml.explainFinding': () => palette.explainFinding((command, ...args) => ask(command, {}, ...args)),
    'hwml.toggleHints': () => palette.toggle('inlayHints.enable'),
    'hwml.toggleLenses': () => palette.toggle('codeLens.enable'),
    'hwml.sortKernels': () => kernels.sort(),
    'hwml.refreshKernels': () => kernels.refresh(),
    'hwml.statusMenu': () => statusMenu(),
  };
  for (const [name, run] of Object.entries(commands)) {
    context.subscriptions.push(vscode.commands.registerCommand(name, run));
  }
}

async function ask(command: string, how: { quiet?: boolean } = {}, ...args: unknown[]): Promise<unknown> {
  if (client?.state !== State.Running) {
    if (how.quiet !== true) {
      void vscode.window.showWarningMessage('hwml: the server is not running.');
    }
    return undefined;
  }
  return client.sendRequest('workspace/executeCommand', { command, arguments: args.filter((a) => a !== undefined) });
}

async function statusMenu(): Promise<void> {
  const entries = [
    { label: '$(output) Show output', command: 'hwml.showOutput' },
    { label: '$(pulse) Run hwml doctor', command: 'hwml.doctor' },
    { label: '$(book) Show the model card', command: 'hwml.openModelCard' },
    { label: '$(flame) Go to the bottleneck', command: 'hwml.goToBottleneck' },
    { label: '$(arrow-down) Go to the next finding', command: 'hwml.nextFinding' },
    { label: '$(eye) Switch the hints on or off', command: 'hwml.toggleHints' },
    { label: '$(pin) Pin the figures of this file', command: 'hwml.pinCurrentBaseline' },
    { label: '$(debug-restart) Restart the server', command: 'hwml.restartServer' },
  ];
  const chosen = await vscode.window.showQuickPick(entries, { title: 'hwml', placeHolder: status.text });
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

async function doctor(context: vscode.ExtensionContext): Promise<void> {
  const { found, reason } = await findServer(context, output);
  const program = found === undefined ? undefined : commandLine(found);
  if (found === undefined || program === undefined) {
    void vscode.window.showWarningMessage(`hwml: nothing to run the doctor with: ${reason || 'hwml does not lie beside hwml.server.path.'}`);
    return;
  }
  const options = { location: vscode.ProgressLocation.Notification, title: 'hwml: doctor' };
  const content = await vscode.window.withProgress(options, () => wordsOf(program.command, [...program.args, 'doctor'], found.env));
  await vscode.window.showTextDocument(await vscode.workspace.openTextDocument({ content }), { preview: true });
}
