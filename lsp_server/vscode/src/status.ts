// The status bar item: state, model and part of the file in the active editor.
import * as vscode from 'vscode';

export interface ServerStatus {
  uri: string;
  version: number;
  state: 'loading' | 'busy' | 'ready' | 'error';
  message: string;
  remedy?: string;
  model?: string;
  part?: string;
  tool?: string;
  tool_version?: string;
  clock_period_ns?: number;
}

const ICONS = { loading: '$(loading~spin)', busy: '$(sync~spin)', ready: '$(circuit-board)', error: '$(warning)' } as const;

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('hwml.status', vscode.StatusBarAlignment.Right, 90);
  private readonly known = new Map<string, ServerStatus>();
  private current: string | undefined = vscode.window.activeTextEditor?.document.uri.toString();
  private problem = '';

  constructor() {
    this.item.name = 'hwml';
    this.item.command = 'hwml.statusMenu';
    this.item.text = `${ICONS.loading} hwml: loading model`;
    this.item.show();
  }

  get text(): string {
    return this.item.text.replace(/\$\([^)]*\) ?/, '');
  }

  started(): void {
    this.problem = '';
    this.draw();
  }

  failed(problem: string): void {
    this.problem = problem;
    this.draw();
  }

  update(status: ServerStatus): void {
    this.known.set(status.uri, status);
    this.draw();
  }

  follow(uri: string | undefined): void {
    this.current = uri;
    this.draw();
  }

  dispose(): void {
    this.item.dispose();
  }

  private draw(): void {
    const status = this.current === undefined ? undefined : this.known.get(this.current);
    if (this.problem !== '') {
      this.show('error', 'hwml', this.problem);
    } else if (status === undefined) {
      this.show('ready', 'hwml', 'Nothing to say about this file');
    } else if (status.state === 'error') {
      this.show('error', 'hwml', status.message || 'The analysis has failed');
    } else if (status.state === 'loading') {
      this.show('loading', 'hwml: loading model', 'The first figures come in a moment');
    } else if (status.state === 'ready' && status.message !== '') {
      this.show('error', 'hwml: no figures', status.message);
    } else {
      const part = status.part ?? '';
      const lines = [`Model ${status.model ?? '?'}`, `Part ${part}, ${status.clock_period_ns ?? '?'} ns`, `${status.tool ?? ''} ${status.tool_version ?? ''}`];
      this.show(status.state, part === '' ? 'hwml' : `hwml: ${part.split('-')[0]}`, part === '' ? 'No figures for this file' : lines.join('\n'));
    }
  }

  private show(state: keyof typeof ICONS, text: string, tooltip: string): void {
    this.item.text = `${ICONS[state]} ${text}`;
    this.item.tooltip = `${tooltip}\nClick for output, doctor and more`;
    this.item.backgroundColor = state === 'error' ? new vscode.ThemeColor('statusBarItem.warningBackground') : undefined;
  }
}
