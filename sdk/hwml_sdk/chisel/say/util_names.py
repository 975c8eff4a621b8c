"""Names that need `import chisel3.util._`, in Chisel 6.7.0 and 7.14.0 (classes, objects, functions of the package)."""

_NAMES = """
Arbiter ArbiterIO BinaryToGray BitPat Cat Counter Decoupled DecoupledIO DeqIO EnqIO Enum Fill FillInterleaved
GrayToBinary HasBlackBoxInline HasBlackBoxPath HasBlackBoxResource HasExtModuleInline HasExtModulePath
HasExtModuleResource HexMemoryFile BinaryMemoryFile Irrevocable IrrevocableIO ListLookup LockingArbiter
LockingRRArbiter Log2 Lookup MixedVec MixedVecInit Mux1H MuxCase MuxLookup OHToUInt Pipe PopCount PriorityEncoder
PriorityEncoderOH PriorityMux Queue QueueIO RRArbiter ReadyValidIO RegEnable Reverse SRAM SRAMInterface
ShiftRegister ShiftRegisters SparseVec UIntToOH Valid is isPow2 log2Ceil log2Down log2Floor log2Up scanLeftOr
scanRightOr signedBitLength switch unsignedBitLength
"""
UTIL_NAMES = frozenset(_NAMES.split())
