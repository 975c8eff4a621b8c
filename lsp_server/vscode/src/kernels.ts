// The list `hwml: kernels`: every design of the workspace with its figures, sortable, a click opens it.
import * as path from 'node:path';
import * as vscode from 'vscode';

interface Kernel {
  uri: string;
  name: string;
  kind: string;
  line: number;
  character: number;
  summary: string;
  stale: boolean;
  figures: Record<string, number | null>;
}

interface Answer {
  kernels: Kernel[];
  complete: boolean;
  problem: string;
  left_out: number;
}

const KEYS = ['name', 'LUT', 'DSP', 'FF', 'latency_cycles'] as const;
type Key = (typeof KEYS)[number];
const TITLES: Record<Key, string> = { name: 'Name', LUT: 'LUT', DSP: 'DSP', FF: 'FF', latency_cycles: 'Latency' };

export class KernelList implements vscode.TreeDataProvider<Kernel>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<Kernel>;
  private key: Key = 'name';
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly ask: (command: string) => Promise<unknown>) {
    this.view = vscode.window.createTreeView('hwml.kernelList', { treeDataProvider: this });
  }

  dispose(): void {
    this.view.dispose();
    this.changed.dispose();
  }

  /** Ask again soon; what comes in quick succession asks once. */
  refresh(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.changed.fire(), 400);
  }

  async sort(): Promise<void> {
    const picks = KEYS.map((key) => ({ label: TITLES[key], key, description: key === this.key ? 'now' : '' }));
    const chosen = await vscode.window.showQuickPick(picks, { title: 'hwml: sort the kernels by' });
    if (chosen !== undefined) {
      this.key = chosen.key;
      this.changed.fire();
    }
  }

  async getChildren(parent?: Kernel): Promise<Kernel[]> {
    if (parent !== undefined) {
      return [];
    }
    const answer = (await this.ask('hwml.kernels')) as Answer | undefined;
    if (answer === undefined) {
      return [];
    }
    const more = answer.left_out > 0 ? `, ${answer.left_out} files not looked at` : '';
    const state = answer.complete ? '' : answer.problem === '' ? ', looking' : ', not all could be looked at';
    this.view.description = `by ${TITLES[this.key]}${state}${more}`;
    this.view.message = answer.problem === '' ? undefined : answer.problem;
    return [...answer.kernels].sort((a, b) => this.compare(a, b));
  }

  private compare(a: Kernel, b: Kernel): number {
    if (this.key !== 'name') {
      const [left, right] = [a.figures[this.key] ?? -1, b.figures[this.key] ?? -1];
      if (left !== right) {
        return right - left; // the largest first, what is unknown last
      }
    }
    return a.name.localeCompare(b.name) || a.uri.localeCompare(b.uri);
  }

  getTreeItem(kernel: Kernel): vscode.TreeItem {
    const uri = vscode.Uri.parse(kernel.uri);
    const item = new vscode.TreeItem(kernel.name, vscode.TreeItemCollapsibleState.None);
    item.id = `${kernel.uri}#${kernel.name}`;
    item.description = `${kernel.summary}${kernel.stale ? ' (old)' : ''}`;
    item.tooltip = `${vscode.workspace.asRelativePath(uri)}:${kernel.line + 1}\n${kernel.summary}`;
    item.iconPath = new vscode.ThemeIcon(kernel.kind === 'module' ? 'symbol-module' : 'symbol-function');
    item.accessibilityInformation = { label: `${kernel.name}, ${kernel.summary}, ${path.basename(uri.fsPath)}` };
    const place = new vscode.Range(kernel.line, kernel.character, kernel.line, kernel.character);
    item.command = { command: 'vscode.open', title: 'Open', arguments: [uri, { selection: place }] };
    return item;
  }
}
