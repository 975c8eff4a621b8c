// SystemVerilog of a Chisel file in a document of its own that follows the edits of its source.
import * as vscode from 'vscode';

export const SCHEME = 'hwml-emit';

interface Emitted {
  text: string;
  problem: string;
}

export class EmittedText implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;
  private readonly last = new Map<string, string>();
  private readonly versions = new Map<string, number>();
  private readonly registered: vscode.Disposable;

  constructor(private readonly ask: (command: string, ...args: unknown[]) => Promise<unknown>) {
    this.registered = vscode.workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }

  /** Show the text of a source beside it. */
  async show(source: vscode.Uri): Promise<void> {
    const document = await vscode.workspace.openTextDocument(address(source));
    await vscode.languages.setTextDocumentLanguage(document, await verilog());
    await vscode.window.showTextDocument(document, { viewColumn: vscode.ViewColumn.Beside, preview: true, preserveFocus: true });
  }

  /** A source was analysed: what is shown of it may be older. */
  update(source: string, version: number): void {
    const shown = address(vscode.Uri.parse(source));
    const open = vscode.workspace.textDocuments.some((one) => one.uri.toString() === shown.toString());
    if (open && this.versions.get(source) !== version) {
      this.versions.set(source, version);
      this.changed.fire(shown);
    }
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const source = uri.query;
    const answer = (await this.ask('hwml.emit', source)) as Emitted | undefined;
    if (answer === undefined) {
      return '// hwml: the server is not running\n';
    }
    if (answer.problem !== '') {
      const before = this.last.get(source);
      return `// ${answer.problem}\n${before === undefined ? '' : `// below: of the text before\n${before}`}`;
    }
    this.last.set(source, answer.text);
    return answer.text;
  }
}

function address(source: vscode.Uri): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: source.path.replace(/\.\w+$/, '.sv'), query: source.toString() });
}

async function verilog(): Promise<string> {
  const known = await vscode.languages.getLanguages();
  return ['systemverilog', 'verilog'].find((language) => known.includes(language)) ?? 'plaintext';
}
