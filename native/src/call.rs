//! A kernel as a function of its host: what its signature says is how its arguments are read.

use crate::host::{self, Site, Value};
use crate::stack;

/// Arguments of the kernel that has most.
pub const MOST_ARGUMENTS: usize = 20;

/// A parameter type of kernels. None where the value is of another type.
pub trait Argument: Sized {
    /// Reads a value of the host.
    unsafe fn read(site: Site, value: Value) -> Option<Self>;
}

/// A result type of kernels.
pub trait Answer {
    /// The value for the host.
    unsafe fn value(self, site: Site) -> Value;
}

/// A kernel of any signature.
pub trait Kernel: Sync {
    /// Calls it. None where the arguments are not what it takes.
    unsafe fn call(&self, site: Site, values: &[Value]) -> Option<Value>;
}

macro_rules! kernel_of {
    ($($argument:ident $at:tt),*) => {
        impl<R: Answer, $($argument: Argument),*> Kernel for unsafe extern "C" fn($($argument),*) -> R {
            #[allow(unused_variables, non_snake_case)]
            unsafe fn call(&self, site: Site, values: &[Value]) -> Option<Value> {
                $(let $argument = $argument::read(site, *values.get($at)?)?;)*
                host::calling();
                let answer = self($($argument),*);
                stack::wipe();
                host::called();
                Some(answer.value(site))
            }
        }
    };
}

kernel_of!();
kernel_of!(A 0);
kernel_of!(A 0, B 1);
kernel_of!(A 0, B 1, C 2);
kernel_of!(A 0, B 1, C 2, D 3);
kernel_of!(A 0, B 1, C 2, D 3, E 4);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16);
kernel_of!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11, M 12, N 13, O 14, P 15, Q 16, S 17);
