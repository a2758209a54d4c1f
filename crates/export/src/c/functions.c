//@ bits.f32
/* The number of these bits. */
static inline float nn_bits(uint32_t bits)
{
    union { uint32_t bits; float number; } both;
    both.bits = bits;
    return both.number;
}
//@ bits.f64
static inline double nn_bits(uint64_t bits)
{
    union { uint64_t bits; double number; } both;
    both.bits = bits;
    return both.number;
}
//@ infinity.f32: bits
static inline float nn_infinity(void) { return nn_bits(0x7f800000u); }
//@ infinity.f64: bits
static inline double nn_infinity(void) { return nn_bits(0x7ff0000000000000ULL); }
//@ nan.f32: bits
static inline float nn_nan(void) { return nn_bits(0x7fc00000u); }
//@ nan.f64: bits
static inline double nn_nan(void) { return nn_bits(0x7ff8000000000000ULL); }
//@ abs
static inline real nn_abs(real x) { return x < 0 ? -x : x; }
//@ sign
static inline real nn_sign(real x) { return x > 0 ? (real)1 : x < 0 ? (real)-1 : x; }
//@ max
/* The larger; NaN if one of them is. */
static inline real nn_max(real x, real y)
{
    const real larger = x > y ? x : y;
    return x != x ? x : larger;
}
//@ min
/* The smaller; NaN if one of them is. */
static inline real nn_min(real x, real y)
{
    const real smaller = x < y ? x : y;
    return x != x ? x : smaller;
}
//@ pick.f32
/* The first where it holds, else the second; without a branch, so that loops over it become vectors. */
static inline float nn_pick(int holds, float x, float y)
{
    union { float number; uint32_t bits; } a, b;
    const uint32_t mask = (uint32_t)0 - (uint32_t)holds;
    a.number = x;
    b.number = y;
    a.bits = (a.bits & mask) | (b.bits & ~mask);
    return a.number;
}
//@ reduced.f32: pick
/* x = n ln 2 + r: n, and e^r - 1 (polynomial of Cephes), for |x| < 126. */
static inline float nn_reduced(float x, int32_t *n)
{
    const int32_t whole = (int32_t)(x * 1.44269504f + nn_pick(x < 0, -0.5f, 0.5f));
    const float far = (float)whole;
    const float s = x - far * 0.693359375f;
    const float r = s - far * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    *n = whole;
    return p * (r * r) + r;
}
//@ power_of_two.f32: bits
/* 2^n, for -126 <= n <= 127. */
static inline float nn_power_of_two(int32_t n) { return nn_bits((uint32_t)(n + 127) << 23); }
//@ exp.f32: reduced power_of_two pick
/* e^x; beyond the range of numbers it runs over, or under, by itself. */
static inline float nn_exp(float x)
{
    int32_t n;
    const float below = nn_pick(x < 89.0f, x, 89.0f);
    const float rest = nn_reduced(nn_pick(below > -104.0f, below, -104.0f), &n);
    const int32_t half = n >> 1;
    const float y = (rest + 1.0f) * nn_power_of_two(half) * nn_power_of_two(n - half);
    return nn_pick(x == x, y, x);
}
//@ expm1.f32: reduced power_of_two pick
/* e^x - 1 */
static inline float nn_expm1(float x)
{
    int32_t n;
    const float below = nn_pick(x < 89.0f, x, 89.0f);
    const float rest = nn_reduced(nn_pick(below > -30.0f, below, -30.0f), &n);
    const float half = nn_power_of_two(n - 1);
    return nn_pick(x == x, 2.0f * (rest * half + (half - 0.5f)), x);
}
//@ log.f32: infinity nan pick
/* ln x (polynomial of Cephes). */
static inline float nn_log(float x)
{
    union { float number; uint32_t bits; } both;
    const int tiny = x < 1.17549435e-38f;
    both.number = x * nn_pick(tiny, 8388608.0f, 1.0f);
    const uint32_t bits = both.bits;
    const int32_t e = (int32_t)((bits - 0x3f3504f3u) >> 23) - (bits < 0x3f3504f3u ? 512 : 0);
    both.bits = bits - ((uint32_t)e << 23);
    const float f = both.number - 1.0f;
    const float k = (float)e - nn_pick(tiny, 23.0f, 0.0f);
    const float z = f * f;
    float p = 7.0376836292e-2f;
    p = p * f - 1.1514610310e-1f;
    p = p * f + 1.1676998740e-1f;
    p = p * f - 1.2420140846e-1f;
    p = p * f + 1.4249322787e-1f;
    p = p * f - 1.6668057665e-1f;
    p = p * f + 2.0000714765e-1f;
    p = p * f - 2.4999993993e-1f;
    p = p * f + 3.3333331174e-1f;
    const float y = p * f * z + k * -2.12194440e-4f - 0.5f * z;
    const float sum = f + y + k * 0.693359375f;
    const float low = nn_pick(x == 0, -nn_infinity(), nn_pick(x < 0, nn_nan(), sum));
    return nn_pick(x < nn_infinity(), low, x);
}
//@ log1p.f32: log infinity pick
/* ln(1 + x); the factor makes the rounding of 1 + x good (Kahan). */
static inline float nn_log1p(float x)
{
    const float u = 1.0f + x;
    const float d = u - 1.0f;
    const float y = nn_log(u) * (x / nn_pick(d == 0, 1.0f, d));
    return nn_pick(d == 0, x, nn_pick(u < nn_infinity(), y, u));
}
//@ tanh.f32: reduced power_of_two pick
/* (e^2a - 1)/(e^2a + 1) of a = |x|, which is 1 from 10 on. */
static inline float nn_tanh(float x)
{
    int32_t n;
    const float a = nn_pick(x < 0, -x, x);
    const float within = nn_pick(a < 10.0f, a, 10.0f);
    const float rest = nn_reduced(within + within, &n);
    const float power = nn_power_of_two(n);
    const float e = rest * power + (power - 1.0f);
    const float y = e / (e + 2.0f);
    return nn_pick(x == x, nn_pick(x < 0, -y, y), x);
}
//@ logistic: exp
static inline real nn_logistic(real x) { return 1 / (1 + nn_exp(-x)); }
//@ softplus: exp log1p max
static inline real nn_softplus(real x) { return nn_max(x, (real)0) + nn_log1p(nn_exp(x < 0 ? x : -x)); }
//@ sqrt.f32
static inline float nn_sqrt(float x) { return sqrtf(x); }
//@ sqrt.f64
static inline double nn_sqrt(double x) { return sqrt(x); }
//@ sqrt.f64.own: infinity nan
/* Newton's way to the root, from half of the exponent. */
static inline double nn_sqrt(double x)
{
    union { double number; uint64_t bits; } both;
    double scale = 1;
    int i;
    if (!(x > 0) || x == nn_infinity()) return x < 0 ? nn_nan() : x;
    if (x < 1e-290) { x *= 1.3407807929942597e154; scale = 8.636168555094445e-78; }
    both.number = x;
    both.bits = (both.bits >> 1) + 0x1ff8000000000000ULL;
    for (i = 0; i < 5; i++) both.number = 0.5 * (both.number + x / both.number);
    return both.number * scale;
}
//@ sqrt.f32.own
static inline float nn_sqrt(float x)
{
    union { double number; uint64_t bits; } both;
    int i;
    if (!(x > 0) || x > 3.4028235e38f) return x < 0 ? (x - x) / (x - x) : x;
    both.number = (double)x;
    both.bits = (both.bits >> 1) + 0x1ff8000000000000ULL;
    for (i = 0; i < 5; i++) both.number = 0.5 * (both.number + (double)x / both.number);
    return (float)both.number;
}
//@ floor.f32
static inline float nn_floor(float x) { return floorf(x); }
//@ floor.f64
static inline double nn_floor(double x) { return floor(x); }
//@ trunc.f32
static inline float nn_trunc(float x) { return truncf(x); }
//@ trunc.f64
static inline double nn_trunc(double x) { return trunc(x); }
//@ trunc.f32.own
static inline float nn_trunc(float x) { return x > -8388608.0f && x < 8388608.0f ? (float)(int32_t)x : x; }
//@ trunc.f64.own
static inline double nn_trunc(double x) { return x > -4503599627370496.0 && x < 4503599627370496.0 ? (double)(int64_t)x : x; }
//@ floor.f32.own: trunc
static inline float nn_floor(float x) { const float t = nn_trunc(x); return t > x ? t - 1 : t; }
//@ floor.f64.own: trunc
static inline double nn_floor(double x) { const double t = nn_trunc(x); return t > x ? t - 1 : t; }
//@ round.f32
static inline float nn_round(float x) { return rintf(x); }
//@ round.f64
static inline double nn_round(double x) { return rint(x); }
//@ round.f32.own: floor
/* Halves to the even one. */
static inline float nn_round(float x)
{
    const float f = nn_floor(x), d = x - f;
    const float odd = f - 2 * nn_floor(f / 2);
    return d > 0.5f || (d == 0.5f && odd != 0) ? f + 1 : f;
}
//@ round.f64.own: floor
static inline double nn_round(double x)
{
    const double f = nn_floor(x), d = x - f;
    const double odd = f - 2 * nn_floor(f / 2);
    return d > 0.5 || (d == 0.5 && odd != 0) ? f + 1 : f;
}
//@ sin.f32
static inline float nn_sin(float x) { return sinf(x); }
//@ sin.f64
static inline double nn_sin(double x) { return sin(x); }
//@ cos.f32
static inline float nn_cos(float x) { return cosf(x); }
//@ cos.f64
static inline double nn_cos(double x) { return cos(x); }
//@ turned
/* The sine of x + quarters of a turn, for |x| below 2^30 (series of Taylor within an eighth of a turn). */
static double nn_turned(double x, int quarters)
{
    const double n = x * 0.63661977236758134308;
    const int64_t whole = (int64_t)(n + (n < 0 ? -0.5 : 0.5));
    const double far = (double)whole;
    const double r = ((x - far * 1.57079632673412561417) - far * 6.07710050630396597660e-11) - far * 2.02226624879595063154e-21;
    const int64_t q = (whole + quarters) & 3;
    const double z = r * r;
    double y;
    if (q & 1)
        y = 1 + z * (-0.5 + z * (1.0 / 24 + z * (-1.0 / 720 + z * (1.0 / 40320 + z * (-1.0 / 3628800 + z * (1.0 / 479001600 - z / 87178291200.0))))));
    else
        y = r + r * z * (-1.0 / 6 + z * (1.0 / 120 + z * (-1.0 / 5040 + z * (1.0 / 362880 + z * (-1.0 / 39916800 + z * (1.0 / 6227020800.0 - z / 1307674368000.0))))));
    return x == x ? (q & 2 ? -y : y) : x;
}
//@ sin.own: turned
static inline real nn_sin(real x) { return (real)nn_turned((double)x, 0); }
//@ cos.own: turned
static inline real nn_cos(real x) { return (real)nn_turned((double)x, 1); }
//@ exp.f64
static inline double nn_exp(double x) { return exp(x); }
//@ expm1.f64
static inline double nn_expm1(double x) { return expm1(x); }
//@ log.f64
static inline double nn_log(double x) { return log(x); }
//@ log1p.f64
static inline double nn_log1p(double x) { return log1p(x); }
//@ tanh.f64
static inline double nn_tanh(double x) { return tanh(x); }
//@ wide_exp
/* e^x in double precision: x = n ln 2 + r, and a series for e^r. */
static double nn_wide_exp(double x)
{
    union { double number; uint64_t bits; } power;
    if (x != x) return x;
    if (x > 709.782712893384) x = 709.782712893384 * 2;
    if (x < -708.3) return 0;
    {
        const double n = x * 1.44269504088896340736;
        const int whole = x > 710 ? 1024 : (int)(n + (n < 0 ? -0.5 : 0.5));
        const double far = (double)whole;
        const double r = x > 710 ? 0 : (x - far * 6.93147180369123816490e-01) - far * 1.90821492927058770002e-10;
        double y = 1;
        int i;
        for (i = 14; i > 0; i--) y = 1 + y * r / i;
        power.bits = (uint64_t)(whole / 2 + 1023) << 52;
        y *= power.number;
        power.bits = (uint64_t)(whole - whole / 2 + 1023) << 52;
        return y * power.number;
    }
}
//@ wide_log
/* ln x in double precision: x = 2^n m, and the series of 2 artanh((m - 1)/(m + 1)). */
static double nn_wide_log(double x)
{
    union { double number; uint64_t bits; } both;
    int e = 0;
    if (!(x > 0)) { both.bits = x == 0 ? 0xfff0000000000000ULL : 0x7ff8000000000000ULL; return both.number; }
    both.bits = 0x7ff0000000000000ULL;
    if (x == both.number) return x;
    if (x < 2.2250738585072014e-308) { x *= 18014398509481984.0; e = -54; }
    both.number = x;
    e += (int)(both.bits >> 52) - 1023;
    both.bits = (both.bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL;
    if (both.number > 1.41421356237309504880) { both.number *= 0.5; e++; }
    {
        const double f = both.number - 1, s = f / (2 + f), z = s * s;
        double p = 0;
        int i;
        for (i = 23; i > 1; i -= 2) p = (p + 2.0 / i) * z;
        return e * 6.93147180369123816490e-01 + (2 * s + (s * p + e * 1.90821492927058770002e-10));
    }
}
//@ exp.f64.own: wide_exp
static inline double nn_exp(double x) { return nn_wide_exp(x); }
//@ log.f64.own: wide_log
static inline double nn_log(double x) { return nn_wide_log(x); }
//@ expm1.f64.own: exp log
/* (e^x - 1), the factor makes the rounding of e^x good (Kahan). */
static inline double nn_expm1(double x)
{
    const double u = nn_exp(x);
    if (u == 1) return x;
    if (u - 1 == -1 || u > 1e300) return u - 1;
    return (u - 1) * (x / nn_log(u));
}
//@ log1p.f64.own: log infinity
static inline double nn_log1p(double x)
{
    const double u = 1 + x, d = u - 1;
    if (d == 0 || u == nn_infinity()) return d == 0 ? x : u;
    return nn_log(u) * (x / d);
}
//@ tanh.f64.own: expm1
static inline double nn_tanh(double x)
{
    const double a = x < 0 ? -x : x;
    const double e = nn_expm1(a < 20 ? 2 * a : 40);
    const double y = e / (e + 2);
    return x == x ? (x < 0 ? -y : y) : x;
}
//@ pow.f32
static inline float nn_pow(float x, float y) { return powf(x, y); }
//@ pow.f64
static inline double nn_pow(double x, double y) { return pow(x, y); }
//@ pow.own: wide_exp wide_log
static inline real nn_pow(real x, real y)
{
    const double half = (double)y * 0.5;
    const int whole = y > -1e9 && y < 1e9 ? (double)(int64_t)y == (double)y : 1;
    const int odd = whole && y > -1e9 && y < 1e9 && (double)(int64_t)half != half;
    double z;
    if (y == 0 || x == 1) return 1;
    if (x != x || y != y) return x + y;
    if (x < 0 && !whole) return (x - x) / (x - x);
    z = nn_wide_exp((double)y * nn_wide_log((double)(x < 0 ? -x : x)));
    return (real)(x < 0 && odd ? -z : z);
}
//@ erf.f32: exp pick
/* The error function (polynomials of Cephes). */
static inline float nn_erf(float x)
{
    const float a = x < 0 ? -x : x, z = x * x;
    const float q = 1.0f / (a < 1.0f ? 1.0f : a), y = q * q;
    float p = 7.853861353153693e-5f, t = 2.326819970068386e-2f, r = -1.047766399936249e1f;
    p = p * z - 8.010193625184903e-4f;
    p = p * z + 5.188327685732524e-3f;
    p = p * z - 2.685381193529856e-2f;
    p = p * z + 1.128358514861418e-1f;
    p = p * z - 3.761262582423300e-1f;
    p = p * z + 1.128379165726710e+0f;
    t = t * y - 1.387039388740657e-1f;
    t = t * y + 3.687424674597105e-1f;
    t = t * y - 5.824733027278666e-1f;
    t = t * y + 6.210004621745983e-1f;
    t = t * y - 4.944515323274145e-1f;
    t = t * y + 3.404879937665872e-1f;
    t = t * y - 2.741127028184656e-1f;
    t = t * y + 5.638259427386472e-1f;
    r = r * y + 1.297719955372516e1f;
    r = r * y - 7.495518717768503e0f;
    r = r * y + 2.921019019210786e0f;
    r = r * y - 1.015265279202700e0f;
    r = r * y + 4.218463358204948e-1f;
    r = r * y - 2.820767439740514e-1f;
    r = r * y + 5.641895067754075e-1f;
    {
        const float rest = nn_exp(-z) * q * nn_pick(a < 2.0f, t, r);
        const float large = nn_pick(x < 0, rest - 1.0f, 1.0f - rest);
        return nn_pick(a < 1.0f, x * p, nn_pick(x == x, large, x));
    }
}
//@ erf.f64
static inline double nn_erf(double x) { return erf(x); }
//@ wide_erf: wide_exp
/* The error function: its series near 0, the continued fraction of its complement elsewhere. */
static double nn_wide_erf(double x)
{
    const double a = x < 0 ? -x : x, z = a * a;
    double y;
    int i;
    if (x != x) return x;
    if (a < 2.5) {
        double term = a;
        y = a;
        for (i = 1; i < 60; i++) {
            term *= -z / i;
            y += term / (2 * i + 1);
        }
        y *= 1.12837916709551257390;
    } else if (a < 6) {
        double f = 0;
        for (i = 60; i > 0; i--) f = i * 0.5 / (a + f);
        y = 1 - nn_wide_exp(-z) * 0.56418958354775628695 / (a + f);
    } else {
        y = 1;
    }
    return x < 0 ? -y : y;
}
//@ erf.f64.own: wide_erf
static inline double nn_erf(double x) { return nn_wide_erf(x); }
//@ mix
/* The finaliser of splitmix64. */
static inline uint64_t nn_mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}
//@ keyed: mix
static inline uint64_t nn_keyed(uint64_t site, int64_t k) { return nn_mix(site ^ nn_mix((uint64_t)k)); }
//@ philox: mix
/* Four random words of a place in a step (Philox 4x32-10, Salmon and others 2011). */
static void nn_philox(uint64_t seed, uint64_t step, uint64_t site, uint64_t block, uint32_t out[4])
{
    const uint64_t mixed = nn_mix(seed ^ nn_mix(site));
    uint32_t k0 = (uint32_t)mixed, k1 = (uint32_t)(mixed >> 32);
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32), c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    int i;
    for (i = 0; i < 10; i++) {
        const uint64_t a = (uint64_t)c0 * 0xd2511f53u, b = (uint64_t)c2 * 0xcd9e8d57u;
        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)b;
        c3 = (uint32_t)a;
        k0 += 0x9e3779b9u;
        k1 += 0xbb67ae85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}
//@ uniform: philox
static inline real nn_uniform(uint64_t seed, uint64_t step, uint64_t site, uint64_t at)
{
    uint32_t words[4];
    nn_philox(seed, step, site, at / 4, words);
    return (real)(words[at % 4] >> 8) * (real)(1.0 / 16777216.0);
}
//@ normal: philox
/* Box and Muller's transform. */
static inline real nn_normal(uint64_t seed, uint64_t step, uint64_t site, uint64_t at)
{
    uint32_t words[4];
    double u, angle, radius;
    nn_philox(seed, step, site, at / 2, words);
    u = ((double)words[0] + 1.0) * (1.0 / 4294967296.0);
    angle = 6.28318530717958647692 * (double)words[1] * (1.0 / 4294967296.0);
    radius = sqrt(-2.0 * log(u));
    return (real)(radius * (at % 2 ? sin(angle) : cos(angle)));
}
//@ wide_sqrt
static double nn_wide_sqrt(double x)
{
    union { double number; uint64_t bits; } both;
    int i;
    if (!(x > 0)) return x;
    both.number = x;
    both.bits = (both.bits >> 1) + 0x1ff8000000000000ULL;
    for (i = 0; i < 5; i++) both.number = 0.5 * (both.number + x / both.number);
    return both.number;
}
//@ normal.own: philox wide_log wide_sqrt turned
static inline real nn_normal(uint64_t seed, uint64_t step, uint64_t site, uint64_t at)
{
    uint32_t words[4];
    double u, angle, radius;
    nn_philox(seed, step, site, at / 2, words);
    u = ((double)words[0] + 1.0) * (1.0 / 4294967296.0);
    angle = 6.28318530717958647692 * (double)words[1] * (1.0 / 4294967296.0);
    radius = nn_wide_sqrt(-2.0 * nn_wide_log(u));
    return (real)(radius * nn_turned(angle, at % 2 ? 0 : 1));
}
//@ eight
/* Eight numbers side by side, in vectors where the compiler has them. */
#if defined(__GNUC__) && defined(__AVX__)
#define NN_LANE 32
#elif defined(__GNUC__) && (defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__) || defined(__wasm_simd128__))
#define NN_LANE 16
#endif
#if defined(NN_LANE)
typedef real nn_lane __attribute__((vector_size(NN_LANE)));
typedef real nn_loose __attribute__((vector_size(NN_LANE), aligned(sizeof(real)), may_alias));
typedef struct { nn_lane of[8 * sizeof(real) / NN_LANE]; } nn_eight;
#define NN_FROM(row, v) ((const nn_loose *)(row))[v]
#define NN_TO(row, v) ((nn_loose *)(row))[v]
#else
typedef struct { real of[8]; } nn_eight;
#define NN_FROM(row, v) (row)[v]
#define NN_TO(row, v) (row)[v]
#endif
#define NN_EACH(what) do { for (int v_ = 0; v_ < (int)(sizeof(nn_eight) / sizeof(((nn_eight *)0)->of[0])); v_++) what; } while (0)
#define NN_SET(s, from) NN_EACH((s).of[v_] = NN_FROM(from, v_))
#define NN_ADD(s, x, row) NN_EACH((s).of[v_] += (real)(x) * NN_FROM(row, v_))
#define NN_SUM(s, t) NN_EACH((s).of[v_] += (t).of[v_])
#define NN_PUT(to, s) NN_EACH(NN_TO(to, v_) = (s).of[v_])
//@ product: eight
/* z[m][n] = the sum over k of a[m][k] b[k][n]; rows of a are am apart and its columns ak, rows of b are bk apart. */
static inline void nn_product(real *restrict z, const real *restrict a, int am, int ak, const real *restrict b, int bk,
                              int m, int k, int n)
{
    const int tall = m / 4 * 4, wide16 = n / 16 * 16, wide64 = n / 64 * 64, wide8 = n / 8 * 8;
    for (int i = 0; i < tall; i += 4) {
        const real *const x = a + i * am;
        for (int j = 0; j < wide16; j += 16) {
            const real zero[8] = {0};
            nn_eight s0, s1, s2, s3, t0, t1, t2, t3;
            real *const to = z + i * n + j;
            NN_SET(s0, zero); NN_SET(s1, zero); NN_SET(s2, zero); NN_SET(s3, zero);
            NN_SET(t0, zero); NN_SET(t1, zero); NN_SET(t2, zero); NN_SET(t3, zero);
            for (int l = 0; l < k; l++) {
                const real *const row = b + l * bk + j, *const v = x + l * ak;
                NN_ADD(s0, v[0], row); NN_ADD(t0, v[0], row + 8);
                NN_ADD(s1, v[am], row); NN_ADD(t1, v[am], row + 8);
                NN_ADD(s2, v[2 * am], row); NN_ADD(t2, v[2 * am], row + 8);
                NN_ADD(s3, v[3 * am], row); NN_ADD(t3, v[3 * am], row + 8);
            }
            NN_PUT(to, s0); NN_PUT(to + 8, t0);
            NN_PUT(to + n, s1); NN_PUT(to + n + 8, t1);
            NN_PUT(to + 2 * n, s2); NN_PUT(to + 2 * n + 8, t2);
            NN_PUT(to + 3 * n, s3); NN_PUT(to + 3 * n + 8, t3);
        }
        for (int j = wide16; j < n; j++) {
            real s[4] = {0};
            for (int l = 0; l < k; l++)
                for (int u = 0; u < 4; u++) s[u] += x[u * am + l * ak] * b[l * bk + j];
            for (int u = 0; u < 4; u++) z[(i + u) * n + j] = s[u];
        }
    }
    for (int i = tall; i < m; i++) {
        const real *const x = a + i * am;
        for (int j = 0; j < wide64; j += 64) {
            const real zero[8] = {0};
            nn_eight s0, s1, s2, s3, s4, s5, s6, s7;
            real *const to = z + i * n + j;
            NN_SET(s0, zero); NN_SET(s1, zero); NN_SET(s2, zero); NN_SET(s3, zero);
            NN_SET(s4, zero); NN_SET(s5, zero); NN_SET(s6, zero); NN_SET(s7, zero);
            for (int l = 0; l < k; l++) {
                const real *const row = b + l * bk + j;
                const real v = x[l * ak];
                NN_ADD(s0, v, row); NN_ADD(s1, v, row + 8); NN_ADD(s2, v, row + 16); NN_ADD(s3, v, row + 24);
                NN_ADD(s4, v, row + 32); NN_ADD(s5, v, row + 40); NN_ADD(s6, v, row + 48); NN_ADD(s7, v, row + 56);
            }
            NN_PUT(to, s0); NN_PUT(to + 8, s1); NN_PUT(to + 16, s2); NN_PUT(to + 24, s3);
            NN_PUT(to + 32, s4); NN_PUT(to + 40, s5); NN_PUT(to + 48, s6); NN_PUT(to + 56, s7);
        }
        for (int j = wide64; j < wide8; j += 8) {
            const real zero[8] = {0};
            nn_eight s, t;
            int l = 0;
            NN_SET(s, zero); NN_SET(t, zero);
            for (l = 0; l < k / 2 * 2; l += 2) {
                NN_ADD(s, x[l * ak], b + l * bk + j);
                NN_ADD(t, x[(l + 1) * ak], b + (l + 1) * bk + j);
            }
            if (l < k) NN_ADD(s, x[l * ak], b + l * bk + j);
            NN_SUM(s, t);
            NN_PUT(z + i * n + j, s);
        }
        for (int j = wide8; j < n; j++) {
            real s = 0;
            for (int l = 0; l < k; l++) s += x[l * ak] * b[l * bk + j];
            z[i * n + j] = s;
        }
    }
}
//@ product8
/* As nn_product, of whole numbers: column n of b counts scale[n]. */
static inline void nn_product8(real *restrict z, const real *restrict a, int am, int ak, const int8_t *restrict b,
                               const real *restrict scale, int bk, int m, int k, int n)
{
    const int wide = n / 16 * 16;
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < wide; j += 16) {
            real s[16] = {0};
            for (int l = 0; l < k; l++) {
                const real x = a[i * am + l * ak];
                const int8_t *const row = b + l * bk + j;
                for (int v = 0; v < 16; v++) s[v] += x * (real)row[v];
            }
            for (int v = 0; v < 16; v++) z[i * n + j + v] = s[v] * scale[j + v];
        }
        for (int j = wide; j < n; j++) {
            real s = 0;
            for (int l = 0; l < k; l++) s += a[i * am + l * ak] * (real)b[l * bk + j];
            z[i * n + j] = s * scale[j];
        }
    }
}
//@ rows
/* As nn_product, of a b whose columns are bn apart: eight sums side by side. */
static inline void nn_rows(real *restrict z, const real *restrict a, int am, int ak, const real *restrict b, int bk,
                           int bn, int m, int k, int n)
{
    const int whole = k / 8 * 8;
    for (int i = 0; i < m; i++) {
        for (int j = 0; j < n; j++) {
            const real *const x = a + i * am, *const y = b + j * bn;
            real s[8] = {0}, sum = 0;
            for (int l = 0; l < whole; l += 8)
                for (int v = 0; v < 8; v++) s[v] += x[(l + v) * ak] * y[(l + v) * bk];
            for (int l = whole; l < k; l++) sum += x[l * ak] * y[l * bk];
            for (int v = 0; v < 8; v++) sum += s[v];
            z[i * n + j] = sum;
        }
    }
}
