-- What Neovim itself holds after opening the file: hints, lenses, hover, diagnostics; a fix applied; a pragma edited.
local function wait(what, ready)
  assert(vim.wait(tonumber(vim.env.HWML_WAIT_MS), function() return ready() end, 50), 'timeout: ' .. what)
end

local buffer = vim.api.nvim_get_current_buf()

local function label(line)
  for _, item in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    if item.inlay_hint.position.line == line then
      return item.inlay_hint.label
    end
  end
  return ''
end

local function lens()
  local first = vim.lsp.codelens.get(buffer)[1]
  return first and first.command and first.command.title or ''
end

local function line(number)
  return vim.api.nvim_buf_get_lines(buffer, number, number + 1, false)[1]
end

local ok, problem = pcall(function()
  wait('client', function() return #vim.lsp.get_clients({ bufnr = buffer, name = 'hwml' }) > 0 end)
  wait('diagnostic', function() return #vim.diagnostic.get(buffer) > 0 end)
  wait('inlay hint', function() return label(9):find('^II 1 · ') end)
  wait('lens', function()
    vim.lsp.codelens.refresh({ bufnr = buffer })
    return lens():find('LUT · ') and lens():find('cyc')
  end)
  local before = label(9)
  print('hint ' .. before)
  print('lens ' .. lens())
  print('diagnostic ' .. vim.diagnostic.get(buffer)[1].message)

  vim.api.nvim_win_set_cursor(0, { 3, 6 })
  vim.lsp.buf.hover()
  wait('hover', function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      local text = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
      if text:find('xczu9eg') and text:find('hwml.toml') then
        vim.api.nvim_win_close(window, true)
        return true
      end
    end
    return false
  end)

  vim.api.nvim_win_set_cursor(0, { 4, 40 })
  vim.lsp.buf.code_action({ apply = true, filter = function(action) return action.kind == 'quickfix' end })
  wait('fix', function() return line(3):find('variable=a ') end)
  wait('diagnostic gone', function()
    for _, item in ipairs(vim.diagnostic.get(buffer)) do
      if item.code == 'HLS109' then return false end
    end
    return true
  end)
  print('fixed ' .. line(3))

  vim.api.nvim_buf_set_lines(buffer, 10, 11, false, { '#pragma HLS PIPELINE II=8' })
  wait('new numbers', function() return label(9):find('^II 8 · ') end)
  print('hint ' .. label(9))
end)
if not ok then
  print('FAIL ' .. tostring(problem))
  vim.cmd('cquit 1')
end
print('OK')
vim.cmd('qa!')
