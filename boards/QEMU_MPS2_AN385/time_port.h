// Included by extmod/modtime.c. MicroPython's epoch on this port is 2000-01-01, as on most bare-metal ports.
#include "shared/timeutils/timeutils.h"
#include "clock.h"

static mp_uint_t seconds_since_2000(void) {
    return (mp_uint_t)(clock_unix() - TIMEUTILS_SECONDS_1970_TO_2000);
}

static mp_obj_t mp_time_localtime_get(void) {
    timeutils_struct_time_t tm;
    timeutils_seconds_since_epoch_to_struct_time(seconds_since_2000(), &tm);
    mp_obj_t tuple[8] = {
        mp_obj_new_int(tm.tm_year), mp_obj_new_int(tm.tm_mon), mp_obj_new_int(tm.tm_mday),
        mp_obj_new_int(tm.tm_hour), mp_obj_new_int(tm.tm_min), mp_obj_new_int(tm.tm_sec),
        mp_obj_new_int(tm.tm_wday), mp_obj_new_int(tm.tm_yday),
    };
    return mp_obj_new_tuple(8, tuple);
}

static mp_obj_t mp_time_time_get(void) {
    return mp_obj_new_int_from_uint(seconds_since_2000());
}
