//! The kernels by name: what `tercet.wasm` exports.

use crate::call::Kernel;
use crate::{chacha, cosine, deal, evaluate, exp, float, limbs, matmul, ot, pack, point, polynomial, table, words};

macro_rules! kernels {
    ($($module:ident::$name:ident($($argument:tt)*);)*) => {
        /// Name and function of every kernel.
        pub static KERNELS: &[(&str, &dyn Kernel)] = &[
            $((stringify!($name), &($module::$name as unsafe extern "C" fn($($argument)*) -> _)),)*
        ];
    };
}

kernels! {
    chacha::keystream(_, _, _, _);
    cosine::table_cosine(_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _);
    cosine::cosine_basis(_, _, _, _, _, _, _, _, _);
    deal::deal_slack();
    deal::deal32(_, _, _, _, _, _, _, _, _, _, _, _, _, _);
    deal::deal64(_, _, _, _, _, _, _, _, _, _, _, _, _, _);
    evaluate::evaluate32(_, _, _, _, _, _, _, _, _, _);
    evaluate::evaluate64(_, _, _, _, _, _, _, _, _, _);
    exp::table_exp(_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _);
    exp::exp_basis(_, _, _, _, _, _, _, _);
    float::matmul_f32_panel();
    float::matmul_f32(_, _, _, _, _, _, _);
    limbs::limbs_panel();
    limbs::limbs_light(_, _);
    limbs::matmul_i32(_, _, _, _, _, _, _, _, _);
    matmul::pack_u64(_, _, _, _, _, _);
    matmul::matmul_left();
    matmul::matmul_panel();
    matmul::matmul_panel32();
    matmul::matmul_u64(_, _, _, _, _, _, _);
    matmul::product64(_, _, _, _, _, _, _, _, _, _);
    matmul::product32(_, _, _, _, _, _, _, _, _, _);
    ot::ot_scratch();
    ot::ot_group();
    ot::ot_receive(_, _, _, _, _, _, _, _, _);
    ot::ot_send(_, _, _, _, _, _, _, _, _, _);
    pack::pack_bits(_, _, _);
    pack::pack32(_, _, _, _);
    pack::pack64(_, _, _, _);
    pack::unpack32(_, _, _, _);
    pack::unpack64(_, _, _, _);
    point::point_level(_, _, _, _, _, _, _, _);
    point::point_leaves(_, _, _, _, _, _, _, _);
    polynomial::table_polynomial(_, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _);
    polynomial::powers(_, _, _, _, _, _, _);
    table::table_ahead();
    table::table_rows(_, _, _, _, _, _, _, _, _, _);
    table::table_rows_any(_, _, _, _, _, _, _, _, _, _, _, _);
    table::table_choose(_, _, _, _, _, _, _, _, _, _, _, _, _, _);
    table::join_bit(_, _, _, _);
    words::add32(_, _, _, _, _);
    words::add64(_, _, _, _, _);
    words::sub32(_, _, _, _, _);
    words::sub64(_, _, _, _, _);
    words::mul32(_, _, _, _, _);
    words::mul64(_, _, _, _, _);
    words::scale32(_, _, _, _, _);
    words::scale64(_, _, _, _, _);
    words::offset32(_, _, _, _, _);
    words::offset64(_, _, _, _, _);
    words::add_row32(_, _, _, _, _, _);
    words::add_row64(_, _, _, _, _, _);
    words::mul_row32(_, _, _, _, _, _);
    words::mul_row64(_, _, _, _, _, _);
    words::sum_rows32(_, _, _, _, _);
    words::sum_rows64(_, _, _, _, _);
    words::repeat32(_, _, _, _);
    words::repeat64(_, _, _, _);
    words::gather32(_, _, _, _, _);
    words::gather64(_, _, _, _, _);
    words::shift32to32(_, _, _, _, _);
    words::shift32to64(_, _, _, _, _);
    words::shift64to32(_, _, _, _, _);
    words::shift64to64(_, _, _, _, _);
    words::choose_basis32(_, _, _, _, _, _);
    words::choose_basis64(_, _, _, _, _, _);
}
