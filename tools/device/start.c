/* Where a Cortex-M4 begins: its stack, and the C library's start. */
extern char __stack[];
extern void _start(void);
__attribute__((section(".vectors"), used)) static const void *const vectors[] = {__stack, (const void *)_start};
