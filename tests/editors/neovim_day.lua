-- A day's use in sixty steps: each does what a person does and waits for the right outcome, or for nothing where nothing
-- is right. Prints one line a step; the first that fails ends it.
local limit = tonumber(vim.env.HWML_WAIT_MS)
local taken = 0

local function step(what, ready)
  taken = taken + 1
  local last
  local done = vim.wait(limit, function()
    last = ready()
    return last
  end, 60)
  if not done then
    error(('step %d, %s: timeout'):format(taken, what))
  end
  print(('%2d %s'):format(taken, what))
  return last
end

-- What must stay as it is: looked at again and again for a while.
local function never(what, wrong)
  taken = taken + 1
  if vim.wait(1200, function() return wrong() end, 60) then
    error(('step %d, never %s: it did'):format(taken, what))
  end
  print(('%2d never %s'):format(taken, what))
end

local function open(name)
  vim.cmd.edit(name)
  return vim.api.nvim_get_current_buf()
end

local function client() return vim.lsp.get_clients({ name = 'hwml' })[1] end

local function ask(method, params, buffer)
  local answer = client():request_sync(method, params, limit, buffer or 0)
  return answer and answer.result, answer and answer.err
end

local function command(name, ...)
  return ask('workspace/executeCommand', { command = name, arguments = { ... } })
end

local function document(buffer) return { uri = vim.uri_from_bufnr(buffer) } end

local function row_of(buffer, text)
  for number, found in ipairs(vim.api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    if found:find(text, 1, true) then return number - 1 end
  end
  error('no line with ' .. text)
end

local function hints(buffer)
  local found = {}
  for _, item in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    found[item.inlay_hint.position.line] = item.inlay_hint.label
  end
  return found
end

local function hint(buffer, text) return hints(buffer)[row_of(buffer, text)] or '' end

-- Of a buffer that no window shows Neovim asks for none: what it would get.
local function served(buffer, text)
  local whole = { start = { line = 0, character = 0 }, ['end'] = { line = 1000, character = 0 } }
  for _, item in ipairs(ask('textDocument/inlayHint', { textDocument = document(buffer), range = whole }, buffer) or {}) do
    if item.position.line == row_of(buffer, text) then return item.label end
  end
  return ''
end

local function lens(buffer)
  local found = ask('textDocument/codeLens', { textDocument = document(buffer) }, buffer) or {}
  return found[1] and found[1].command.title or ''
end

local function hover(buffer, text, word)
  local row = row_of(buffer, text)
  local column = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1]:find(word, 1, true) - 1
  local found = ask('textDocument/hover', { textDocument = document(buffer), position = { line = row, character = column + 1 } }, buffer)
  return found and found.contents.value or ''
end

local function replace(buffer, text, new)
  local row = row_of(buffer, text)
  vim.api.nvim_buf_set_lines(buffer, row, row + 1, false, type(new) == 'table' and new or { new })
end

local function undo(buffer) vim.api.nvim_buf_call(buffer, function() vim.cmd('silent undo') end) end

local function codes(buffer)
  return vim.tbl_map(function(item) return item.code end, vim.diagnostic.get(buffer))
end

local function actions(buffer, row, kinds)
  local place = { line = row, character = 0 }
  local context = { diagnostics = {}, only = kinds, triggerKind = 1 }
  return ask('textDocument/codeAction', { textDocument = document(buffer), range = { start = place, ['end'] = place }, context = context }, buffer) or {}
end

local function apply(buffer, action)
  local resolved, problem = ask('codeAction/resolve', action, buffer)
  if resolved == nil then return problem end
  vim.lsp.util.apply_workspace_edit(resolved.edit, client().offset_encoding)
end

local function completions(buffer, row)
  local column = #vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1]
  local found = ask('textDocument/completion', { textDocument = document(buffer), position = { line = row, character = column } }, buffer)
  local items = found and found.items or {}
  table.sort(items, function(a, b) return (a.sortText or a.label) < (b.sortText or b.label) end)
  return vim.tbl_map(function(item) return item.label end, items)
end

local function configure(settings)
  client().settings = { hwml = settings }
  client():notify('workspace/didChangeConfiguration', { settings = { hwml = settings } })
end

local function same(before, now) return vim.deep_equal(before, now) end

local ok, problem = pcall(function()
  -- A kernel is opened and read.
  local fir = open('fir.cpp')
  step('the client is there', function() return client() ~= nil end)
  step('figures above the function', function() return lens(fir):find('LUT · .*DSP · .*FF · .*cyc') end)
  step('II and cycles at the loop', function() return hint(fir, 'n < LENGTH'):find('^II 1 · .*cyc') end)
  step('the inner loop is unrolled', function() return hint(fir, 't = TAPS - 1'):find('^unrolled x%d+') end)
  step('hover of the function says where it goes', function() return hover(fir, 'void fir', 'fir'):find('Where it goes') end)
  step('hover of the loop says its rounds', function() return hover(fir, 'n < LENGTH', 'for'):find('rounds') end)
  step('hover of a pragma says what it does', function() return #hover(fir, 'HLS PIPELINE', 'PIPELINE') > 40 end)
  step('outline: the loop is inside the function', function()
    local found = ask('textDocument/documentSymbol', { textDocument = document(fir) }, fir)
    return found[1].name == 'fir' and found[1].children[1].name == 'samples'
  end)
  step('functions and loops fold', function() return #ask('textDocument/foldingRange', { textDocument = document(fir) }, fir) >= 3 end)
  step('words of pragmas have colours', function() return #ask('textDocument/semanticTokens/full', { textDocument = document(fir) }, fir).data >= 15 end)
  never('findings in a clean file', function() return #vim.diagnostic.get(fir) > 0 end)

  -- Typing: figures move with the text and stay.
  local before, labelled = hints(fir), hint(fir, 'n < LENGTH')
  vim.api.nvim_buf_set_lines(fir, 0, 0, false, { '// a line above' })
  step('hints move with the text', function() return hint(fir, 'n < LENGTH') == labelled end)
  undo(fir)
  step('and back', function() return same(hints(fir), before) end)
  local row = row_of(fir, 'n < LENGTH')
  vim.api.nvim_buf_set_lines(fir, row, row, false, { '  for (int q' })
  never('gone while a loop is half-typed', function() return vim.tbl_count(hints(fir)) < vim.tbl_count(before) end)
  step('the lens stays as well', function() return lens(fir):find('LUT') end)
  undo(fir)
  step('nothing is old once the text is whole', function() return same(hints(fir), before) and not lens(fir):find('%(old%)') end)
  replace(fir, 'HLS PIPELINE', '#pragma HLS PIPELINE II=4')
  step('another II, other figures', function() return hint(fir, 'n < LENGTH'):find('^II 4 · ') end)
  step('the lens says what changed since the last commit', function() return lens(fir):find('%(.*cyc %+') end)
  undo(fir)
  step('as committed again', function() return hint(fir, 'n < LENGTH') == labelled and not lens(fir):find('%(') end)

  -- Completion in pragmas.
  row = row_of(fir, 'HLS PIPELINE')
  vim.api.nvim_buf_set_lines(fir, row, row + 1, false, { '#pragma HLS ' })
  step('the usual directives of a loop come first', function()
    local found = completions(fir, row)
    return #found > 5 and (found[1] == 'PIPELINE' or found[1] == 'UNROLL')
  end)
  vim.api.nvim_buf_set_lines(fir, row, row + 1, false, { '#pragma HLS PIPELINE ' })
  step('options of the directive', function() return vim.tbl_contains(completions(fir, row), 'II') end)
  vim.api.nvim_buf_set_lines(fir, row, row + 1, false, { '#pragma HLS PIPELINE II=4' })
  never('what is typed already is offered', function() return vim.tbl_contains(completions(fir, row), '4') end)
  step('signature help names the option', function()
    local found = ask('textDocument/signatureHelp', { textDocument = document(fir), position = { line = row, character = 24 } }, fir)
    return found and found.signatures[1].label:find('II')
  end)
  vim.api.nvim_buf_set_lines(fir, row, row + 1, false, { '#pragma HLS UNROLL factor=' })
  step('factors are numbers', function() return (completions(fir, row)[1] or ''):find('^%d+$') end)
  vim.api.nvim_buf_set_lines(fir, row, row + 1, false, { '#pragma HLS PIPELINE II=1' })
  step('the loop as it was', function() return hint(fir, 'n < LENGTH') == labelled end)

  -- Findings and fixes.
  local scale = open('scale.cpp')
  step('a finding', function() return vim.tbl_contains(codes(scale), 'HLS109') end)
  step('its message names the variable', function() return vim.diagnostic.get(scale)[1].message:find('aa') end)
  step('its page is there', function()
    local found = vim.diagnostic.get(scale)[1].user_data.lsp
    return found.codeDescription and vim.uv.fs_stat(vim.uri_to_fname(found.codeDescription.href)) ~= nil
  end)
  step('a verified fix', function() return (actions(scale, 3, { 'quickfix' })[1] or { title = '' }).title:find('%(verified%)') end)
  apply(scale, actions(scale, 3, { 'quickfix' })[1])
  step('it is applied', function() return row_of(scale, 'variable=a type') == 3 end)
  step('and the finding is gone', function() return not vim.tbl_contains(codes(scale), 'HLS109') end)
  undo(scale)
  step('it comes back with the text', function() return vim.tbl_contains(codes(scale), 'HLS109') end)
  local all = step('all safe fixes at once', function() return actions(scale, 0, { 'source.fixAll' })[1] end)
  apply(scale, all)
  step('they are applied', function() return row_of(scale, 'variable=a type') == 3 and #codes(scale) == 0 end)
  never('a fix where nothing is wrong', function() return #actions(scale, 3, { 'quickfix' }) > 0 end)

  -- Rewritings.
  local window = open('window.cpp')
  step('II 2 by ports', function() return hint(window, 'i < 960'):find('^II 2 · ') end)
  step('the hover says why', function() return hover(window, 'i < 960', 'for'):find('ports of a') end)
  local best = step('rewritings for who asks', function() return actions(window, row_of(window, 'i < 960'), { 'refactor' })[1] end)
  vim.api.nvim_buf_set_lines(window, 0, 0, false, { '// above' })
  step('refused when the text has changed', function() return apply(window, best) ~= nil end)
  undo(window)
  best = step('offered anew', function() return actions(window, row_of(window, 'i < 960'), { 'refactor' })[1] end)
  apply(window, best)
  step('II 1', function() return hint(window, 'i < 960'):find('^II 1 · ') end)

  -- Commands.
  step('the bottleneck', function() return (command('hwml.bottleneck', vim.uri_from_bufnr(fir)) or {}).name == 'samples' end)
  step('a page', function() return (command('hwml.explain', 'HLS109') or ''):find('^# HLS109') end)
  never('a page of a code that is none', function() return command('hwml.explain', 'HLS999') ~= nil and command('hwml.explain', 'HLS999') ~= vim.NIL end)
  step('the details', function() return (command('hwml.details', vim.uri_from_bufnr(fir), row_of(fir, 'void fir'), 6) or ''):find('fir') end)
  step('the card of the model', function() return vim.uv.fs_stat(vim.uri_to_fname(command('hwml.modelCard', false))) ~= nil end)
  command('hwml.pinBaseline', vim.uri_from_bufnr(fir))
  replace(fir, 'PIPELINE II=1', '#pragma HLS PIPELINE II=8')
  step('the lens compares with the pinned figures', function() return lens(fir):find('%(.*cyc') end)
  command('hwml.clearBaseline')
  replace(fir, 'PIPELINE II=8', '#pragma HLS PIPELINE II=1')
  step('as before', function() return hint(fir, 'n < LENGTH') == labelled end)
  local listed = step('all kernels of the workspace', function()
    local found = command('hwml.kernels')
    return found and found.complete and found.kernels
  end)
  local names = table.concat(vim.tbl_map(function(item) return item.name end, listed), ' ')
  step('those that are not open too', function() return names:find('gemm') and names:find('fir') end)
  never('the test bench', function() return names:find('main') end)
  step('search', function() return ask('workspace/symbol', { query = 'gemm' })[1].name:find('^gemm') end)

  -- Headers and test benches.
  local uses = open('uses.cpp')
  step('pragmas of a header count', function() return hint(uses, 'i < 32'):find('^II 3 · ') end)
  local header = open('kernel.h')
  replace(header, '#define ROUND', '#define ROUND 5')
  step('what is typed in it counts before it is saved', function() return served(uses, 'i < 32'):find('^II 5 · ') end)
  undo(header)
  step('and back', function() return served(uses, 'i < 32'):find('^II 3 · ') end)
  local bench = open('tb.cpp')
  never('figures in a test bench', function() return next(hints(bench)) ~= nil or lens(bench) ~= '' end)

  -- Settings.
  vim.api.nvim_set_current_buf(fir)
  configure({ inlayHints = { enable = false } })
  step('hints off', function() vim.lsp.inlay_hint.enable(false); vim.lsp.inlay_hint.enable(true); return next(hints(fir)) == nil end)
  configure({})
  step('hints on', function() vim.lsp.inlay_hint.enable(false); vim.lsp.inlay_hint.enable(true); vim.wait(300); return hint(fir, 'n < LENGTH') == labelled end)
  local toml = io.open('hwml.toml', 'w')
  toml:write('[hls]\npart = "xc7z020-clg484-1"\n')
  toml:close()
  client():notify('workspace/didChangeWatchedFiles', { changes = { { uri = vim.uri_from_fname(vim.fn.getcwd() .. '/hwml.toml'), type = 2 } } })
  step('another part', function() return hover(scale, 'void scale', 'scale'):find('xc7z020') end)
  command('hwml.restart')
  step('everything is there after a restart', function() return lens(fir):find('LUT') and hint(fir, 'n < LENGTH'):find('^II 1 · ') end)
end)
if not ok then
  print('FAIL ' .. tostring(problem))
  vim.cmd('cquit 1')
end
print(('OK %d steps'):format(taken))
vim.cmd('qa!')
