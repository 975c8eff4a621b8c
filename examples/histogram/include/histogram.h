#pragma once

#define LENGTH 4096

void histogram(const unsigned char data[LENGTH], unsigned bins[BINS]);
