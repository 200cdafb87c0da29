"""Freed memory stays with the process: what is allocated again meets no new pages."""

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
import torch
from stages.project import allocator

assert sys.argv[1] == "as ever" or allocator.keep_freed()

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(2**24).fill_(1.0)  # 64 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
faults()
print(faults())
"""


def faults(how: str) -> int:
    told = subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True).stdout
    return int(told)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library: all stays as it is")
def test_a_tensors_memory_is_used_again_and_not_mapped_anew():
    again, kept = faults("as ever"), faults("kept")
    assert kept < 16 < again, "the system gave new pages to the second tensor"
