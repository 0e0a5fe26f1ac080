/** What x86-64 processors with AVX2 have, which the native kernels ask for when they are loaded. */
export const FEATURES = '+avx2,+bmi1,+bmi2,+fma,+lzcnt,+popcnt';
