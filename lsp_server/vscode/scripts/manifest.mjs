// What is packed differs from the tree's package.json: no scripts, and the addresses of the repository where they are known.

/** `https://HOST/OWNER/NAME` of what git calls a remote; undefined for folders and other things nobody else can reach. */
export function webAddress(remote) {
  const match = /^(?:https?:\/\/(?:[^@/]+@)?|ssh:\/\/(?:[^@/]+@)?|[\w.-]+@)([\w.-]+\.\w+)(?::\d+)?[/:](.+?)(?:\.git)?\/?$/.exec(remote.trim());
  return match === null ? undefined : `https://${match[1]}/${match[2]}`;
}

export function packed(manifest, address) {
  const made = { ...manifest };
  delete made.scripts;
  delete made.devDependencies;
  if (address !== undefined) {
    made.repository = { type: 'git', url: `${address}.git`, directory: 'lsp_server/vscode' };
    made.bugs = { url: `${address}/issues` };
    made.homepage = `${address}#readme`;
  }
  return made;
}
