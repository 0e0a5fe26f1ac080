//! The kernels by name: what `tercet.wasm` exports, and what `proof.wasm` does.

use crate::call::Kernel;
use crate::{
    buckets, chacha, claims, columns, cosine, deal, digest, evaluate, exp, float, limbs, lookup, matmul, ot, pack,
    panels, point, polynomial, proof, table, words,
};

/// Names and functions.
pub type List = &'static [(&'static str, &'static dyn Kernel)];

macro_rules! kernels {
    ($list:ident: $($module:ident::$name:ident($($argument:tt)*);)*) => {
        /// Name and function of every one of them.
        pub static $list: List = &[
            $((stringify!($name), &($module::$name as unsafe extern "C" fn($($argument)*) -> _)),)*
        ];
    };
}

kernels! {
    RING:
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
    limbs::limbs_left();
    limbs::limbs_grade(_, _);
    limbs::matmul_i32(_, _, _, _, _, _, _, _, _);
    panels::panels_columns(_, _, _, _, _, _, _, _);
    panels::panels_scratch(_, _);
    matmul::pack_u64(_, _, _, _, _, _);
    matmul::seal_u64(_, _, _);
    matmul::matmul_panels(_, _);
    matmul::matmul_left(_, _);
    matmul::matmul_panel32();
    matmul::matmul_u64(_, _, _, _, _, _, _, _);
    matmul::product64_room(_, _, _);
    matmul::product64(_, _, _, _, _, _, _, _, _, _, _);
    matmul::product32(_, _, _, _, _, _, _, _, _, _);
    matmul::strided_rows32(_, _, _, _, _, _, _, _, _, _, _);
    matmul::strided_rows64(_, _, _, _, _, _, _, _, _, _, _);
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
    words::wipe(_, _);
    words::shift32to32(_, _, _, _, _);
    words::shift32to64(_, _, _, _, _);
    words::shift64to32(_, _, _, _, _);
    words::shift64to64(_, _, _, _, _);
    words::choose_basis32(_, _, _, _, _, _);
    words::choose_basis64(_, _, _, _, _, _);
}

kernels! {
    PROOFS:
    chacha::keystream(_, _, _, _);
    buckets::digest_scratch(_, _, _);
    digest::digest(_, _, _, _, _, _, _);
    digest::entries_scratch(_, _, _);
    digest::digest_entries(_, _, _, _, _, _, _, _);
    columns::columns_scratch(_, _);
    columns::columns(_, _, _, _, _, _, _);
    columns::columns_signed(_, _, _, _, _, _, _);
    claims::matrix_scratch(_, _, _);
    claims::matrix_claims(_, _, _, _, _, _, _, _);
    claims::table_scratch(_, _, _, _);
    claims::table_sums(_, _, _, _, _, _, _, _, _);
    claims::table_claims(_, _, _, _, _, _);
    claims::choice_claims(_, _, _, _, _, _, _, _, _, _);
    proof::weights(_, _, _, _, _, _, _);
    proof::multiply(_, _, _, _, _);
    proof::multiply64(_, _, _, _);
    proof::combine_rows(_, _, _, _, _, _);
    proof::combine_columns(_, _, _, _, _, _);
    proof::fold_scratch(_);
    proof::fold_entries(_, _, _, _, _, _, _, _);
    proof::public_table(_, _, _, _, _, _, _);
    lookup::load_table(_, _, _);
    lookup::look_up(_, _, _, _, _);
    lookup::fold_table(_, _, _, _, _);
    proof::digit_scratch(_, _);
    proof::digit_weights(_, _, _, _, _, _, _, _, _, _, _, _);
    lookup::lookup_scratch(_, _);
    lookup::lookup_round(_, _, _, _, _, _, _, _, _);
    proof::choice_scratch(_, _);
    proof::choice_round(_, _, _, _, _, _, _, _, _, _);
    proof::tail_round(_, _, _, _, _);
    proof::tail_fold(_, _, _, _, _);
    proof::dot_scratch(_, _);
    proof::tail_dot(_, _, _, _, _, _, _, _);
}
