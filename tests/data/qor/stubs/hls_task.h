#include "hls_stream.h"
