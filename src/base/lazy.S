/*
 * lazy.S: the trampolines and tables that lazy.h describes, for x86-64 and AArch64.
 *
 * lazy-symbols.h, which scripts/lazy-link writes, is a list of
 *	lazy_library INDEX, "SONAME", "PACKAGE"
 *	lazy_function INDEX, NAME
 *	lazy_library_end
 */

#if defined __x86_64__

/*
 * NAME: r11, which no caller expects to be kept, carries the slot's address to the stub.  The endbr64 are for
 * indirect branch tracking: a slot may lead to lazy_stub, and NAME itself may be called by its address.
 */
.macro lazy_trampoline name
	endbr64
	leaq	lazy_slot_\name(%rip), %r11
	jmp	*(%r11)
.endm

.macro lazy_stub index
	endbr64
	pushq	$\index
	.cfi_adjust_cfa_offset 8
	jmp	lazy_enter
.endm

.macro lazy_push register
	pushq	%\register
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset \register, 0
.endm

.macro lazy_pop register
	popq	%\register
	.cfi_adjust_cfa_offset -8
	.cfi_restore \register
.endm

/*
 * Keeps all that may carry an argument: six integer registers, rax (the number of vector registers of a variadic
 * call), r10 (static chain) and xmm0 to xmm7; what else carries one is on the stack.  No function of these libraries
 * takes wider vectors.  On entry the stack holds the library's index and the caller's return address: 16 bytes off
 * a frame that began aligned to 16, so nine pushes and 136 bytes leave it aligned for the call.
 */
	.text
	.p2align 4
	.type lazy_enter, @function
lazy_enter:
	.cfi_startproc
	.cfi_def_cfa_offset 16
	lazy_push rax
	lazy_push rdi
	lazy_push rsi
	lazy_push rdx
	lazy_push rcx
	lazy_push r8
	lazy_push r9
	lazy_push r10
	lazy_push r11
	subq	$136, %rsp
	.cfi_adjust_cfa_offset 136
	movaps	%xmm0, (%rsp)
	movaps	%xmm1, 16(%rsp)
	movaps	%xmm2, 32(%rsp)
	movaps	%xmm3, 48(%rsp)
	movaps	%xmm4, 64(%rsp)
	movaps	%xmm5, 80(%rsp)
	movaps	%xmm6, 96(%rsp)
	movaps	%xmm7, 112(%rsp)
	movq	208(%rsp), %rdi
	call	lazy_load
	movaps	(%rsp), %xmm0
	movaps	16(%rsp), %xmm1
	movaps	32(%rsp), %xmm2
	movaps	48(%rsp), %xmm3
	movaps	64(%rsp), %xmm4
	movaps	80(%rsp), %xmm5
	movaps	96(%rsp), %xmm6
	movaps	112(%rsp), %xmm7
	addq	$136, %rsp
	.cfi_adjust_cfa_offset -136
	lazy_pop r11
	lazy_pop r10
	lazy_pop r9
	lazy_pop r8
	lazy_pop rcx
	lazy_pop rdx
	lazy_pop rsi
	lazy_pop rdi
	lazy_pop rax
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	jmp	*(%r11)
	.cfi_endproc
	.size lazy_enter, . - lazy_enter

/* This object is ready for indirect branch tracking and the shadow stack (x86 feature bits 1 and 2). */
	.section .note.gnu.property, "a"
	.p2align 3
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000002, 4, 3, 0

#elif defined __aarch64__

/*
 * x16 and x17 belong to the linker between a call and its callee; x17 carries the slot's address.  `hint 34` is
 * `bti c`: a landing for branches through x16.  ldar pairs with the release in lazy.c.
 */
.macro lazy_trampoline name
	hint	34
	adrp	x17, lazy_slot_\name
	add	x17, x17, :lo12:lazy_slot_\name
	ldar	x16, [x17]
	br	x16
.endm

.macro lazy_stub index
	hint	34
	mov	x16, #\index
	b	lazy_enter
.endm

/* Keeps x0 to x7, x8 (the address of a struct that is returned), the slot in x17, the link register and q0 to q7. */
	.text
	.p2align 4
	.type lazy_enter, %function
lazy_enter:
	.cfi_startproc
	hint	25			/* paciasp */
	.cfi_negate_ra_state
	stp	x29, x30, [sp, #-224]!
	.cfi_adjust_cfa_offset 224
	.cfi_rel_offset x29, 0
	.cfi_rel_offset x30, 8
	mov	x29, sp
	stp	x0, x1, [sp, #16]
	stp	x2, x3, [sp, #32]
	stp	x4, x5, [sp, #48]
	stp	x6, x7, [sp, #64]
	stp	x8, x17, [sp, #80]
	stp	q0, q1, [sp, #96]
	stp	q2, q3, [sp, #128]
	stp	q4, q5, [sp, #160]
	stp	q6, q7, [sp, #192]
	mov	x0, x16
	bl	lazy_load
	ldp	q6, q7, [sp, #192]
	ldp	q4, q5, [sp, #160]
	ldp	q2, q3, [sp, #128]
	ldp	q0, q1, [sp, #96]
	ldp	x8, x17, [sp, #80]
	ldp	x6, x7, [sp, #64]
	ldp	x4, x5, [sp, #48]
	ldp	x2, x3, [sp, #32]
	ldp	x0, x1, [sp, #16]
	ldp	x29, x30, [sp], #224
	.cfi_adjust_cfa_offset -224
	.cfi_restore x29
	.cfi_restore x30
	hint	29			/* autiasp */
	.cfi_negate_ra_state
	ldar	x16, [x17]
	br	x16
	.cfi_endproc
	.size lazy_enter, . - lazy_enter

/* This object is ready for branch target identification and return address signing (AArch64 feature bits 1 and 2). */
	.section .note.gnu.property, "a"
	.p2align 3
	.long	4, 16, 5
	.asciz	"GNU"
	.long	0xc0000000, 4, 3, 0

#else
#error "lazy.S knows x86-64 and AArch64; configure with -Dlazy=disabled"
#endif

/* What follows is the same on both.  The tables hold addresses, so they are read-only once the program is relocated. */

.macro lazy_library index, soname, package
	.text
	.p2align 4
	.type lazy_stub_\index, %function
lazy_stub_\index:
	.cfi_startproc
	lazy_stub \index
	.cfi_endproc
	.size lazy_stub_\index, . - lazy_stub_\index

	.section .rodata.str, "a", %progbits
lazy_soname_\index:
	.asciz	"\soname"
lazy_package_\index:
	.asciz	"\package"
lazy_names_\index:

	.section .data.lazy_slots, "aw", %progbits
	.p2align 3
lazy_slots_\index:

	.section .data.rel.ro, "aw", %progbits
	.quad	lazy_soname_\index, lazy_package_\index, lazy_names_\index, lazy_slots_\index
.endm

.macro lazy_function index, name
	.text
	.p2align 4
	.globl \name
	.hidden \name
	.type \name, %function
\name:
	.cfi_startproc
	lazy_trampoline \name
	.cfi_endproc
	.size \name, . - \name

	.section .rodata.str, "a", %progbits
	.asciz	"\name"

	.section .data.lazy_slots, "aw", %progbits
lazy_slot_\name:
	.quad	lazy_stub_\index
.endm

.macro lazy_library_end
	.section .rodata.str, "a", %progbits
	.byte	0
.endm

	.section .data.rel.ro, "aw", %progbits
	.p2align 3
	.globl lazy_libraries
	.hidden lazy_libraries
	.type lazy_libraries, %object
lazy_libraries:

#include "lazy-symbols.h"

	.section .data.rel.ro, "aw", %progbits
	.quad	0, 0, 0, 0
	.size lazy_libraries, . - lazy_libraries

	.section .note.GNU-stack, "", %progbits
