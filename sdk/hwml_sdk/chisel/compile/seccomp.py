"""The system calls that elaboration may not make, as a filter program of the kernel (seccomp, classic BPF).

Elaboration computes and answers; it needs no socket, no further process and no change to any file. What is refused
here is refused whatever the file system shows, and also on kernels whose namespaces do not reach that far. Numbers are
those of Linux on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl); other machines have no filter and so no fence.
"""

from __future__ import annotations

import errno
from typing import Literal

Instruction = tuple[int, int, int, int | Literal["pid"]]  # code, jump if true, jump if false, value

_AUDIT_ARCH_X86_64 = 0xC000003E
_X32 = 0x40000000  # from this number on: the calls of another ABI
_CLONE_THREAD = 0x00010000
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX = 8, 10, 15  # they send signals to other processes

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data; an argument has 8 bytes, the low half first

_REFUSED = {
    # Sockets of any kind: path sockets lead to daemons that know no fence.
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53, "accept4": 288,
    # Processes, and what reaches into others.
    "fork": 57, "vfork": 58, "ptrace": 101, "tkill": 200, "rt_sigqueueinfo": 129, "rt_tgsigqueueinfo": 297,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "pidfd_send_signal": 424, "pidfd_open": 434,
    "pidfd_getfd": 438, "process_madvise": 440, "process_mrelease": 448, "setpriority": 141, "sched_setparam": 142,
    "sched_setscheduler": 144, "sched_setaffinity": 203, "ioprio_set": 251, "migrate_pages": 256, "move_pages": 279,
    "sched_setattr": 314,
    # Namespaces, mounts, roots.
    "chroot": 161, "pivot_root": 155, "mount": 165, "umount2": 166, "unshare": 272, "setns": 308, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442,
    # Memory and messages outside the address space, which no limit of ours counts.
    "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "semtimedop": 220, "msgget": 68,
    "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240, "mq_unlink": 241, "memfd_create": 319,
    "memfd_secret": 447,
    # Files: names, owners, modes, times and contents stay as they are (opening for writing is refused elsewhere).
    "truncate": 76, "rename": 82, "mkdir": 83, "rmdir": 84, "link": 86, "unlink": 87, "symlink": 88, "chmod": 90,
    "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "utime": 132, "mknod": 133, "setxattr": 188,
    "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "utimes": 235,
    "mkdirat": 258, "mknodat": 259, "fchownat": 260, "futimesat": 261, "unlinkat": 263, "renameat": 264, "linkat": 265,
    "symlinkat": 266, "fchmodat": 268, "utimensat": 280, "renameat2": 316, "fchmodat2": 452, "setxattrat": 463,
    "removexattrat": 466, "open_by_handle_at": 304, "name_to_handle_at": 303,
    # Doors into the kernel that computing does not need; io_uring would pass this filter by.
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "bpf": 321, "perf_event_open": 298,
    "userfaultfd": 323, "add_key": 248, "request_key": 249, "keyctl": 250, "modify_ldt": 154, "personality": 135,
    "acct": 163, "settimeofday": 164, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
    "clock_settime": 227, "kexec_load": 246, "fanotify_init": 300, "clock_adjtime": 305, "finit_module": 313,
    "kexec_file_load": 320, "quotactl_fd": 443, "vhangup": 153, "syslog": 103, "adjtimex": 159,
}  # fmt: skip
_CLONE, _CLONE3, _KILL, _TGKILL, _FCNTL, _PRLIMIT64 = 56, 435, 62, 234, 72, 302


def _refuse(number: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | number)


def _argument(index: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def program() -> list[Instruction]:
    """The filter; where a value is "pid", the process that is to be fenced in puts its own id."""
    refuse, allow = _refuse(errno.EPERM), (_RETURN, 0, 0, _ALLOW)
    own: list[Instruction] = [_argument(0), (_JUMP_EQUAL, 1, 0, "pid"), refuse, allow]
    rules: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, _AUDIT_ARCH_X86_64),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        refuse,
    ]
    for number in sorted(_REFUSED.values()):
        rules += _when(number, [refuse])
    rules += _when(_CLONE3, [_refuse(errno.ENOSYS)])  # its flags cannot be seen from here: the C library takes clone
    rules += _when(_CLONE, [_argument(0), (_JUMP_ANY_BIT, 1, 0, _CLONE_THREAD), refuse, allow])
    rules += _when(_KILL, own)
    rules += _when(_TGKILL, own)
    rules += _when(_PRLIMIT64, [_argument(0), (_JUMP_EQUAL, 2, 0, 0), *own[1:]])
    signals: list[Instruction] = [
        instruction for command in (_F_SETOWN, _F_SETSIG, _F_SETOWN_EX) for instruction in _when(command, [refuse])
    ]
    rules += _when(_FCNTL, [_argument(1), *signals, allow])
    return [*rules, allow]


def _when(value: int, body: list[Instruction]) -> list[Instruction]:
    """`body`, which ends in a return where it leaves anything else loaded, if the loaded value is `value`."""
    return [(_JUMP_EQUAL, 0, len(body), value), *body]
