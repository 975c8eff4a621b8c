;; What eglot holds after opening the file: findings in Flymake, hints as overlays, a fix applied, a pragma edited.
(require 'eglot)
(require 'flymake)
(setq eglot-sync-connect 60 eglot-connect-timeout 90 eglot-autoshutdown nil eglot-confirm-server-edits nil
      make-backup-files nil create-lockfiles nil)
(defvar limit (string-to-number (getenv "HWML_WAIT_MS")))

(defun wait (what ready)
  (let ((end (+ (float-time) (/ limit 1000.0))) found)
    (while (and (not (setq found (ignore-errors (funcall ready)))) (< (float-time) end))
      (accept-process-output nil 0.1))
    (unless found
      (message "FAIL timeout: %s" what)
      (kill-emacs 1))
    found))

(defun hints ()
  (let ((asked (list :textDocument (eglot--TextDocumentIdentifier)
                     :range '(:start (:line 0 :character 0) :end (:line 30 :character 0)))))
    (mapcar (lambda (hint) (cons (plist-get (plist-get hint :position) :line) (plist-get hint :label)))
            (jsonrpc-request (eglot-current-server) :textDocument/inlayHint asked))))

(defun shown ()
  ;; What a person would see: the overlays that eglot makes of hints.
  (let ((eglot--outstanding-inlay-hints-timer nil))
    (eglot-inlay-hints-mode 1)
    (eglot--update-hints-1 (point-min) (point-max))
    (accept-process-output nil 0.5))
  (delq nil (mapcar (lambda (overlay) (or (overlay-get overlay 'after-string) (overlay-get overlay 'before-string)))
                    (overlays-in (point-min) (point-max)))))

(find-file (getenv "HWML_FILE"))
(c++-mode)
(wait "connection" (lambda () (or (eglot-current-server) (progn (apply #'eglot (eglot--guess-contact)) nil))))
(flymake-mode 1)
(wait "finding" (lambda () (flymake-start) (flymake-diagnostics)))
(message "finding %s" (flymake-diagnostic-text (car (flymake-diagnostics))))
(wait "hints" (lambda () (= (length (hints)) 3))) ; no lenses here, so the function is a hint too
(message "hints %S" (hints))
(message "overlays %S" (wait "overlays" (lambda () (seq-some (lambda (text) (string-match-p "II 1" text)) (shown)))))

(goto-char (flymake-diagnostic-beg (car (flymake-diagnostics))))
(wait "fix" (lambda ()
              (eglot-code-actions (point) (1+ (point)) "quickfix" t)
              (save-excursion (goto-char (point-min)) (search-forward "variable=a " nil t))))
(message "fixed")

(goto-char (point-min))
(search-forward "PIPELINE II=1")
(delete-char -1)
(insert "8")
(eglot--signal-textDocument/didChange)
(wait "new numbers" (lambda () (string-prefix-p "II 8" (cdr (assoc 9 (hints))))))
(message "hints %S" (hints))
(message "OK")
(set-buffer-modified-p nil)
(kill-emacs 0)
