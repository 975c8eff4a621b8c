#ifndef HWML_STUB_HALF
#define HWML_STUB_HALF
typedef float half;
#endif
