-- Figures of a Chisel module in Neovim: there with the check's answer, new after an edit, gone where it does not elaborate.
local function wait(what, ready)
  assert(vim.wait(tonumber(vim.env.HWML_WAIT_MS), function() return ready() end, 50), 'timeout: ' .. what)
end

local buffer = vim.api.nvim_get_current_buf()

local function hints()
  local found = {}
  for _, item in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    table.insert(found, item.inlay_hint.label)
  end
  return table.concat(found, ' | ')
end

local function lenses()
  vim.lsp.codelens.refresh({ bufnr = buffer })
  local found = {}
  for _, item in ipairs(vim.lsp.codelens.get(buffer)) do
    table.insert(found, item.command and item.command.title or '')
  end
  return table.concat(found, ' | ')
end

local function set(number, text)
  vim.api.nvim_buf_set_lines(buffer, number - 1, number, false, { text })
end

local ok, problem = pcall(function()
  wait('client', function() return #vim.lsp.get_clients({ bufnr = buffer, name = 'hwml' }) > 0 end)
  wait('figures', function() return (lenses() .. hints()):find('1 DSP') end)
  print('lens ' .. lenses())
  print('hints ' .. hints())

  vim.api.nvim_win_set_cursor(0, { 2, 7 })
  vim.lsp.buf.hover()
  wait('hover', function()
    for _, window in ipairs(vim.api.nvim_list_wins()) do
      local text = table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false), '\n')
      if text:find('Cycles from input to output') then
        print('hover ' .. text)
        vim.api.nvim_win_close(window, true)
        return true
      end
    end
    return false
  end)

  set(4, '  io.y := RegNext(io.a +& io.b)')
  wait('figures after the edit', function() return (lenses() .. hints()):find('16 LUT') end)
  print('lens ' .. lenses())

  set(4, '  require(false, "no"); io.y := 0.U')
  wait('finding', function() return #vim.diagnostic.get(buffer) > 0 end)
  wait('no figures', function() return not (lenses() .. hints()):find('LUT') end)
  print('diagnostic ' .. vim.diagnostic.get(buffer)[1].message)
end)
if not ok then
  print('FAIL ' .. tostring(problem) .. ' lens: ' .. lenses() .. ' hints: ' .. hints())
  vim.cmd('cquit 1')
end
print('OK')
vim.cmd('qa!')
