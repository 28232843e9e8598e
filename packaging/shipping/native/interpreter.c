/* The interpreter of the folder, and on Windows the programs that a shell starts.
 *
 * Isolated from the user's Python in every way: no site, no environment, nothing from the current
 * folder; the modules come from one file of bytecode beside this program (see finder.py, which is
 * frozen in here together with what Python needs before it can import anything). Paths are found
 * from this program's own file, so that the folder can lie anywhere.
 *
 * In the role of a program of ours ("runtime", "runtimectl") the command line belongs to that
 * program. In no role it is an interpreter like any other, which is what sys.executable has to be:
 * multiprocessing starts it with -c. On POSIX the role is argv[0] (see launcher.c), on Windows,
 * where there is no exec, it is compiled in.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include <wchar.h>
#ifdef _WIN32
#include <windows.h>
#define LIBRARY L"\\lib"
#define INTERPRETER L"\\python.exe"
#define SEPARATOR L'\\'
#else
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif
#define LIBRARY L""
#define INTERPRETER L"/python"
#define SEPARATOR L'/'
#endif
#include "frozen.h"

#define ROOM 33000

static wchar_t folder[ROOM];      /* where this program lies */
static wchar_t library[ROOM];     /* where modules and extension modules lie */
static wchar_t interpreter[ROOM]; /* sys.executable */

/* Not by swprintf: macOS' has every letter go through the locale, which is "C" this early. */
static void join(wchar_t *path, const wchar_t *place, const wchar_t *inside)
{
    wcscat(wcscpy(path, place), inside);
}

static int find_paths(void)
{
#ifdef _WIN32
    DWORD length = GetModuleFileNameW(NULL, folder, ROOM - 16);
    if (length == 0 || length >= ROOM - 16)
        return 0;
#else
    char path[PATH_MAX];
#ifdef __APPLE__
    char raw[PATH_MAX];
    uint32_t size = sizeof raw;
    if (_NSGetExecutablePath(raw, &size) != 0 || realpath(raw, path) == NULL)
        return 0;
#else
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = '\0';
#endif
    wchar_t *decoded = Py_DecodeLocale(path, NULL); /* UTF-8 mode: what it cannot take, it escapes */
    if (decoded == NULL)
        return 0;
    wcsncpy(folder, decoded, ROOM - 16);
    PyMem_RawFree(decoded);
#endif
    *wcsrchr(folder, SEPARATOR) = L'\0';
    join(library, folder, LIBRARY);
    join(interpreter, folder, INTERPRETER);
    return 1;
}

/* Where the program that has this role lies; NULL in no role. */
static const wchar_t *role_of(const wchar_t *name)
{
#ifdef ROLE
    static wchar_t path[ROOM];
    (void)name;
    join(path, folder, L"\\" ROLE L".exe");
    return wcscmp(ROLE, L"python") == 0 ? NULL : path;
#else
    size_t above = wcsrchr(folder, L'/') - folder;
    if (name == NULL || wcsncmp(name, folder, above) != 0)
        return NULL;
    if (wcscmp(name + above, L"/runtime") == 0 || wcscmp(name + above, L"/runtimectl") == 0)
        return name;
    return NULL;
#endif
}

/* Other Pythons leave these in the environment, and either would be sys.executable, isolated or not. */
static void forget_other_executables(void)
{
#ifdef _WIN32
    _wputenv(L"PYTHONEXECUTABLE=");
    _wputenv(L"__PYVENV_LAUNCHER__=");
#else
    unsetenv("PYTHONEXECUTABLE");
    unsetenv("__PYVENV_LAUNCHER__");
#endif
}

static PyStatus set_paths(PyConfig *config)
{
    PyStatus status;
    wchar_t **places[] = {&config->home, &config->prefix, &config->exec_prefix,
                          &config->base_prefix, &config->base_exec_prefix, &config->stdlib_dir};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        status = PyConfig_SetString(config, places[i], library);
        if (PyStatus_Exception(status))
            return status;
    }
    wchar_t **programs[] = {&config->program_name, &config->executable, &config->base_executable};
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        status = PyConfig_SetString(config, programs[i], interpreter);
        if (PyStatus_Exception(status))
            return status;
    }
    config->module_search_paths_set = 1;
    return PyWideStringList_Append(&config->module_search_paths, library);
}

static PyStatus start(const wchar_t *role, Py_ssize_t argc, char **argv, wchar_t **wargv)
{
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    PyStatus status = Py_PreInitialize(&before);
    if (PyStatus_Exception(status))
        return status;
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    config.parse_argv = role == NULL;
    config.site_import = 0;
    config.write_bytecode = 0;
    config.optimization_level = 2;
    config.pathconfig_warnings = 0;
    config.install_signal_handlers = 1;
    config.configure_c_stdio = 1;
#if defined(_WIN32)
    (void)argv;
    status = PyConfig_SetArgv(&config, argc, wargv);
#else
    (void)wargv;
    status = PyConfig_SetBytesArgv(&config, argc, argv);
#endif
    if (!PyStatus_Exception(status))
        status = set_paths(&config);
    if (!PyStatus_Exception(status) && role != NULL)
        status = PyConfig_SetString(&config, &config.run_command,
                                    L"import " FINDER L"; " FINDER L".run()");
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    return status;
}

static int run(Py_ssize_t argc, char **argv, wchar_t **wargv)
{
    PyImport_FrozenModules = frozen_modules;
    forget_other_executables();
#ifndef _WIN32
    /* Py_DecodeLocale follows the mode that the first pre-initialisation chooses. */
    PyPreConfig before;
    PyPreConfig_InitIsolatedConfig(&before);
    before.utf8_mode = 1;
    PyStatus early = Py_PreInitialize(&before);
    if (PyStatus_Exception(early))
        Py_ExitStatusException(early);
#endif
    if (!find_paths()) {
        fputs("the runtime cannot find out where its program lies\n", stderr);
        return 127;
    }
#ifdef _WIN32
    const wchar_t *role = role_of(wargv[0]);
#else
    wchar_t *name = Py_DecodeLocale(argv[0], NULL);
    const wchar_t *role = role_of(name);
#endif
#ifdef __linux__
    if (role != NULL)
        prctl(PR_SET_NAME, wcscmp(wcsrchr(role, L'/'), L"/runtime") == 0 ? "runtime" : "runtimectl");
#endif
    PyStatus status = start(role, argc, argv, wargv);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
    PyObject *finder = PyImport_ImportModule(FINDER_BYTES);
    PyObject *done = finder == NULL ? NULL
        : PyObject_CallMethod(finder, "install", "uu", library, role == NULL ? L"" : role);
    if (done == NULL) {
        PyErr_Print();
        return 1;
    }
    Py_DECREF(done);
    Py_DECREF(finder);
    return Py_RunMain();
}

#ifdef _WIN32
int wmain(int argc, wchar_t **argv)
{
    return run(argc, NULL, argv);
}
#else
int main(int argc, char **argv)
{
    return run(argc, argv, NULL);
}
#endif
