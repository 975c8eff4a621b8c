// Drives VS Code (code-server in Chromium) as a person would: looks at figures, hovers, applies a fix, edits a pragma.
// node code_server_check.cjs URL FILE WAIT_MS [PICTURES]; needs playwright-core and Chromium (HWML_CHROMIUM).
const fs = require('fs');
const os = require('os');
const path = require('path');
const { chromium } = require(process.env.HWML_PLAYWRIGHT || 'playwright-core');

const [url, file, waitText, pictures] = process.argv.slice(2);
const wait = Number(waitText);
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

async function main() {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'hwml-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.HWML_CHROMIUM || '/usr/bin/chromium', headless: true, viewport: { width: 1180, height: 700 },
    deviceScaleFactor: pictures ? 1.5 : 1, args: FLAGS,
  });
  try {
    await drive(context.pages()[0] || (await context.newPage()));
  } finally {
    await context.close();
    fs.rmSync(profile, { recursive: true, force: true });
  }
}

async function drive(page) {
  const picture = async (name, clip) => pictures && page.screenshot({ path: path.join(pictures, `${name}.png`), clip });
  const text = () => page.$$eval('.view-line', (lines) => lines.map((l) => l.innerText.replace(/\u00a0/g, ' ')).join('\n'));
  const until = async (what, ready, limit = wait) => {
    const end = Date.now() + limit;
    for (;;) {
      const found = await ready();
      if (found) return found;
      if (Date.now() > end) {
        await picture('failed');
        throw new Error(`timeout: ${what}`);
      }
      await page.waitForTimeout(200);
    }
  };
  const go = async (place) => {
    await page.keyboard.press('Control+g');
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(place);
    await page.waitForTimeout(300);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(500);
  };

  await page.goto(url, { waitUntil: 'domcontentloaded', timeout: 180000 });
  await page.waitForSelector('.monaco-workbench', { timeout: 120000 });
  await page.waitForTimeout(4000);
  await until('file', async () => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+p');
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(file);
    await page.waitForTimeout(1500);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(2500);
    return page.$('.monaco-editor .view-line');
  }, 120000);

  const shown = await until('inlay hint', async () => (await text()).match(/II 1 · [^\n]*cyc[^\n]*/));
  console.log('hint', shown[0].trim());
  const lens = await until('lens', async () => {
    const titles = await page.$$eval('.codelens-decoration', (all) => all.map((one) => one.innerText));
    return titles.find((title) => /LUT .*DSP .*FF .*cyc/.test(title));
  });
  console.log('lens', lens.trim());
  await until('finding', () => page.$('.squiggly-error, .squiggly-warning'));
  const bar = await until('status bar', async () => {
    const items = await page.$$eval('.statusbar-item', (all) => all.map((one) => one.innerText.trim()));
    return items.find((item) => item.includes('xczu9eg'));
  });
  console.log('status', bar);
  await page.keyboard.press('Escape');
  await go('3:1');
  await page.waitForTimeout(800);
  await picture('figures');

  await tooltip(page, until);
  await picture('tooltip');
  await page.mouse.move(5, 5);

  await go('3:7');
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+i');
  const hover = page.locator('.monaco-hover:not(.hidden) .monaco-hover-content', { hasText: 'hwml.toml' }).first();
  await hover.waitFor({ timeout: wait });
  console.log('hover', (await hover.innerText()).split('\n').slice(0, 3).join(' | '));
  await page.waitForTimeout(400);
  await picture('hover');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');

  await until('fix', async () => {
    await go('4:38');
    await page.keyboard.press('Control+.');
    await page.waitForTimeout(1500);
    const offered = await page.$$eval('.action-widget .action-item, .action-widget .monaco-list-row', (all) => all.map((one) => one.innerText));
    if (!offered.some((title) => title.includes('(verified)'))) {
      await page.keyboard.press('Escape');
      return false;
    }
    await picture('fix');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(1000);
    return (await text()).includes('variable=a type');
  });
  console.log('fixed', (await text()).split('\n').find((line) => line.includes('ARRAY_PARTITION')).trim());

  await go('11:26');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('8');
  const changed = await until('new numbers', async () => (await text()).match(/II 8 · [^\n]*cyc[^\n]*/));
  console.log('hint', changed[0].trim());
  await picture('edited');
  await palette(page, { until, go, picture, text });
}

// The bottleneck by the palette, and the pictures of an example of the repository.
async function palette(page, { until, go, picture, text }) {
  const command = async (name) => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('F1');
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(name);
    await page.waitForTimeout(900);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(900);
  };
  const openFile = async (name) => {
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+p');
    await page.waitForSelector('.quick-input-widget input');
    await page.keyboard.type(name);
    await page.waitForTimeout(1500);
    await page.keyboard.press('Enter');
    await page.waitForTimeout(1500);
  };
  const place = async () => (await page.$$eval('.statusbar-item', (all) => all.map((one) => one.innerText.trim()))).find((item) => /^Ln \d+/.test(item)) || '';

  await openFile('gemm.cpp');
  await until('figures of gemm', async () => (await text()).match(/II 1 · [^\n]*cyc/));
  await until('lens of gemm', async () => (await page.$$eval('.codelens-decoration', (all) => all.map((one) => one.innerText))).some((title) => title.includes('LUT')));
  await go('1:1');
  await page.waitForTimeout(800);
  await picture('example');
  await command('hwml: Go to the bottleneck');
  await until('bottleneck', async () => /^Ln (9|11),/.test(await place()));
  console.log('bottleneck', await place());
  await go('4:8');
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Control+i');
  await page.locator('.monaco-hover:not(.hidden) .monaco-hover-content', { hasText: 'Where it goes' }).first().waitFor();
  await page.waitForTimeout(400);
  await picture('example_hover');
  await page.keyboard.press('Escape');
}

// The tooltip of a hint is resolved when the pointer rests on it.
async function tooltip(page, until) {
  await until('tooltip', async () => {
    const hints = page.locator('.view-line span', { hasText: /II\s1\s·/ });
    const count = await hints.count();
    if (count === 0) return false;
    const box = await hints.nth(count - 1).boundingBox();
    if (box === null) return false;
    await page.mouse.move(box.x + 12, box.y + 40);
    await page.mouse.move(box.x + 20, box.y + box.height / 2, { steps: 4 });
    await page.waitForTimeout(1500);
    const seen = await page.$$eval('.monaco-hover:not(.hidden)', (all) => all.map((one) => one.innerText).join('\n'));
    return seen.includes('rounds');
  });
}

main().then(() => console.log('OK'), (error) => {
  console.error('FAIL', error.message);
  process.exit(1);
});
