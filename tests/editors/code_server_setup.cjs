// Clicks through what VS Code says where the server is missing. One script for two machines, told apart by HWML_HAS:
// "nothing" (no Python at all) and "python" (one without hwml, which is set up from a folder).
// node code_server_setup.cjs URL FILE WAIT_MS FOLDER [PICTURES]; needs playwright-core and Chromium (HWML_CHROMIUM).
const fs = require('fs');
const os = require('os');
const path = require('path');
const { chromium } = require(process.env.HWML_PLAYWRIGHT || 'playwright-core');

const [url, file, waitText, folder, pictures] = process.argv.slice(2);
const wait = Number(waitText);
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function main() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'hwml-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.HWML_CHROMIUM || '/usr/bin/chromium', headless: true, viewport: { width: 1180, height: 700 }, args: FLAGS,
  });
  try {
    const page = context.pages()[0] || (await context.newPage());
    const window = new Window(page);
    await window.open();
    await (process.env.HWML_HAS === 'python' ? aPythonWithoutHwml(window) : noPython(window));
  } finally {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

class Window {
  constructor(page) {
    this.page = page;
  }

  async picture(name) {
    if (pictures) await this.page.screenshot({ path: path.join(pictures, `${name}.png`) });
  }

  async until(what, ready, limit = wait) {
    const end = Date.now() + limit;
    for (;;) {
      const found = await ready();
      if (found) return found;
      if (Date.now() > end) {
        await this.picture('failed');
        throw new Error(`timeout: ${what}; shown: ${JSON.stringify(await this.messages())}`);
      }
      await this.page.waitForTimeout(250);
    }
  }

  messages() {
    return this.page.$$eval('.notification-list-item-message', (all) => all.map((one) => one.innerText));
  }

  text() {
    return this.page.$$eval('.view-line', (all) => all.map((one) => one.innerText.replace(/\u00a0/g, ' ')).join('\n'));
  }

  async open() {
    await this.page.goto(url, { waitUntil: 'domcontentloaded', timeout: 180000 });
    await this.page.waitForSelector('.monaco-workbench', { timeout: 120000 });
    await this.page.waitForTimeout(4000);
    await this.until('file', async () => {
      await this.pick('Control+p', file);
      await this.page.waitForTimeout(2500);
      return this.page.$('.monaco-editor .view-line');
    }, 120000);
  }

  async pick(key, words) {
    await this.page.keyboard.press('Escape');
    await this.page.keyboard.press(key);
    await this.page.waitForSelector('.quick-input-widget input');
    await this.page.keyboard.type(words);
    await this.page.waitForTimeout(1500);
    await this.page.keyboard.press('Enter');
    await this.page.waitForTimeout(900);
  }

  // A message with these words, told; and a click on one of its buttons.
  async told(words) {
    const found = await this.until(words, async () => {
      const message = (await this.messages()).find((one) => one.includes(words));
      if (message === undefined && (await this.page.$('.notifications-center.visible')) === null) {
        await this.page.locator('[id="status.notifications"]').click(); // one that was shown before is behind the bell
        await this.page.waitForTimeout(500);
      }
      return message;
    });
    console.log('told', found);
  }

  async click(button) {
    await this.page.locator('.notification-list-item .monaco-button', { hasText: button }).first().click();
    await this.page.waitForTimeout(1200);
  }

  async page_(words) {
    await this.until(`page: ${words}`, async () => {
      for (const frame of this.page.frames()) {
        const shown = await frame.evaluate(() => document.body && document.body.innerText).catch(() => '');
        if (shown && shown.includes(words)) return true;
      }
      return (await this.text()).includes(words);
    });
    console.log('page', words);
  }

  async input(words) {
    await this.page.waitForSelector('.quick-input-widget input');
    await this.page.locator('.quick-input-widget input').first().fill(words);
    await this.page.waitForTimeout(1500);
    await this.page.keyboard.press('Enter');
    await this.page.waitForTimeout(1500);
  }
}

async function noPython(window) {
  await window.told('no Python was found');
  await window.picture('setup_no_python');
  await window.click('Show what to type');
  await window.page_('What to type, in a terminal');
  await window.picture('setup_what_to_type');
  await window.pick('F1', 'hwml: Set up an environment');
  await window.told('no Python 3.11 or newer was found to make an environment with');
  await window.pick('F1', 'hwml: Run hwml doctor');
  await window.told('nothing to run the doctor with: no Python was found');
  const bar = await window.page.$$eval('.statusbar-item', (all) => all.map((one) => `${one.innerText} ${one.getAttribute('aria-label')}`).join('\n'));
  if (!bar.includes('No server: no Python was found')) throw new Error(`the status bar does not say it: ${bar}`);
}

async function aPythonWithoutHwml(window) {
  await window.told('hwml is not installed in the Python that was found');
  await window.click('Set up an environment');
  await window.until('the choice of sources', async () => (await window.page.$$eval('.quick-input-list .monaco-list-row', (all) => all.map((one) => one.innerText).join('\n'))).includes('A package index'));
  await window.picture('setup_sources');
  await window.page.keyboard.type('A folder');
  await window.page.keyboard.press('Enter');
  await window.page.waitForTimeout(2000);
  await window.input(`${path.dirname(url.split('folder=')[1])}/`); // no folder that pip can install
  await window.told('has no pyproject.toml');
  await window.pick('F1', 'hwml: Set up an environment');
  await window.page.keyboard.type('A folder');
  await window.page.keyboard.press('Enter');
  await window.page.waitForTimeout(2000);
  await window.input(`${folder}/`);
  await window.until('installing', async () => (await window.messages()).some((message) => /hwml.*(making an environment|installing)/s.test(message)), 60000);
  await window.picture('setup_installing');
  const shown = await window.until('inlay hint', async () => (await window.text()).match(/II 1 · [^\n]*cyc[^\n]*/), 400000);
  console.log('hint', shown[0].trim());
  await window.picture('setup_done');
}

main().then(() => console.log('OK'), (error) => {
  console.error('FAIL', error.message);
  process.exit(1);
});
