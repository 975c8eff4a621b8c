// Pages of Markdown that are shown rendered: they are no files, and closing one asks nobody to save it.
import * as vscode from 'vscode';

const SCHEME = 'hwml-page';
const texts = new Map<string, string>();

export function registerPages(): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? '',
  });
}

export async function showPage(title: string, text: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title}.md` });
  texts.set(uri.path, text);
  await vscode.commands.executeCommand('markdown.showPreview', uri);
}
