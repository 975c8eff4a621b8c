// Commands of the palette about the place in the active editor.
import * as vscode from 'vscode';
import { showPage } from './pages';

interface Bottleneck {
  line: number;
  character: number;
  name: string;
  label: string;
}

type Ask = (command: string, ...args: unknown[]) => Promise<unknown>;

export async function goToBottleneck(ask: Ask): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const found = editor && ((await ask('hwml.bottleneck', editor.document.uri.toString())) as Bottleneck | null | undefined);
  if (editor === undefined || !found) {
    void vscode.window.showInformationMessage('hwml: no loop of this file has a known number of cycles.');
    return;
  }
  reveal(editor, new vscode.Position(found.line, found.character));
  vscode.window.setStatusBarMessage(`hwml: ${found.name}: ${found.label}`, 8000);
}

/** Have the server generate what the comment under the cursor or the selection asks for; it shows all else itself. */
export async function generateHere(ask: Ask): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor !== undefined) {
    const { start, end } = editor.selection;
    const last = end.line > start.line && end.character === 0 ? end.line - 1 : end.line;
    await ask('hwml.generate', editor.document.uri.toString(), start.line, last);
  }
}

export function nextFinding(): void {
  const editor = vscode.window.activeTextEditor;
  const found = editor === undefined ? [] : findings(editor.document);
  if (editor === undefined || found.length === 0) {
    void vscode.window.showInformationMessage('hwml: there is no finding in this file.');
    return;
  }
  const here = editor.selection.active;
  const next = found.find((one) => one.range.start.isAfter(here)) ?? found[0];
  reveal(editor, next.range.start);
}

export async function explainFinding(ask: Ask): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  const here = editor?.selection.active;
  const found = editor === undefined ? [] : findings(editor.document).filter((one) => here !== undefined && one.range.start.line <= here.line && here.line <= one.range.end.line);
  const codes = [...new Set(found.map((one) => codeOf(one)))];
  const code = codes.length > 1 ? await vscode.window.showQuickPick(codes, { title: 'hwml: explain' }) : (codes[0] ?? (await vscode.window.showInputBox({ title: 'hwml: explain', prompt: 'Code of a finding, such as HLS114' })));
  if (!code) {
    return;
  }
  const page = await ask('hwml.explain', code.trim().toUpperCase());
  if (typeof page === 'string') {
    await showPage(code.trim().toUpperCase(), page);
  }
}

/** The card of the model, rendered. */
export async function showModelCard(ask: Ask): Promise<void> {
  const uri = await ask('hwml.modelCard', false);
  if (typeof uri === 'string') {
    await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.parse(uri));
  }
}

/** Switch one of the settings that show figures, where the user keeps it. */
export async function toggle(name: 'inlayHints.enable' | 'codeLens.enable'): Promise<void> {
  const settings = vscode.workspace.getConfiguration('hwml', vscode.window.activeTextEditor?.document.uri);
  await settings.update(name, !settings.get<boolean>(name, true), vscode.ConfigurationTarget.Global);
}

function findings(document: vscode.TextDocument): vscode.Diagnostic[] {
  const ours = vscode.languages.getDiagnostics(document.uri).filter((one) => (one.source ?? '').startsWith('hwml'));
  return ours.sort((a, b) => a.range.start.compareTo(b.range.start));
}

function codeOf(finding: vscode.Diagnostic): string {
  const code = finding.code;
  return String(typeof code === 'object' ? code.value : code);
}

function reveal(editor: vscode.TextEditor, place: vscode.Position): void {
  editor.selection = new vscode.Selection(place, place);
  editor.revealRange(new vscode.Range(place, place), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
}
