/*
 * `git.exe` for a test under wine: hands its words to the git of Linux, and gives back what that said.
 *
 * wine starts a program of Linux, but gives no handle of it and no pipe to it. So a shell writes what git said
 * into files, the exit code as the last one, and that is waited for. No shell sees the words: they go through a
 * file, each with a NUL behind it. Of the exit code only "0 or not" comes back.
 */
#include <windows.h>
#include <shellapi.h>
#include <stdio.h>

/* As wine shows /tmp. */
static const wchar_t FOLDER[] = L"Z:\\tmp";
static const wchar_t SHELL[] = L"Z:\\bin\\sh";
/* $1 is where the files are. */
static const char SCRIPT[] = "cd \\\"$PWD\\\" && xargs -0 -a $1.words git >$1.out 2>$1.err </dev/null; "
                             "echo $? >$1.part; mv $1.part $1.code";
/* In steps of 5 ms: a minute. */
static const int MOST_STEPS = 12000;

static wchar_t stem[MAX_PATH];

static FILE *open_part(const wchar_t *part, const wchar_t *mode)
{
    wchar_t path[MAX_PATH + 16];
    _snwprintf(path, MAX_PATH + 16, L"%ls.%ls", stem, part);
    return _wfopen(path, mode);
}

static void remove_part(const wchar_t *part)
{
    wchar_t path[MAX_PATH + 16];
    _snwprintf(path, MAX_PATH + 16, L"%ls.%ls", stem, part);
    DeleteFileW(path);
}

static int write_words(void)
{
    int count;
    wchar_t **words = CommandLineToArgvW(GetCommandLineW(), &count);
    FILE *file = open_part(L"words", L"wb");
    if (!words || !file)
        return 0;
    for (int index = 1; index < count; index++) {
        int size = WideCharToMultiByte(CP_UTF8, 0, words[index], -1, NULL, 0, NULL, NULL);
        char *word = malloc(size);
        WideCharToMultiByte(CP_UTF8, 0, words[index], -1, word, size, NULL, NULL);
        fwrite(word, 1, size, file);
        free(word);
    }
    return fclose(file) == 0;
}

static void copy_part(const wchar_t *part, DWORD stream)
{
    char buffer[65536];
    size_t count;
    DWORD written;
    FILE *file = open_part(part, L"rb");
    while (file && (count = fread(buffer, 1, sizeof buffer, file)) > 0)
        WriteFile(GetStdHandle(stream), buffer, (DWORD)count, &written, NULL);
    if (file)
        fclose(file);
    remove_part(part);
}

int main(void)
{
    int code = -1;
    FILE *answer = NULL;
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION process;
    wchar_t line[1024];
    _snwprintf(stem, MAX_PATH, L"%ls\\git-%lu-%lu", FOLDER, GetCurrentProcessId(), GetTickCount());
    if (!write_words()) {
        fprintf(stderr, "git.exe: no words could be written to /tmp\n");
        return 127;
    }
    _snwprintf(line, 1024, L"sh -c \"%hs\" sh /tmp/%ls", SCRIPT, wcsrchr(stem, L'\\') + 1);
    if (!CreateProcessW(SHELL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) {
        fprintf(stderr, "git.exe: wine starts no shell of Linux: error %lu\n", GetLastError());
        return 127;
    }
    for (int step = 0; step < MOST_STEPS && !(answer = open_part(L"code", L"r")); step++)
        Sleep(5);
    if (!answer || fscanf(answer, "%d", &code) != 1) {
        fprintf(stderr, "git.exe: git did not end\n");
        return 127;
    }
    fclose(answer);
    remove_part(L"code");
    remove_part(L"words");
    copy_part(L"out", STD_OUTPUT_HANDLE);
    copy_part(L"err", STD_ERROR_HANDLE);
    return code;
}
