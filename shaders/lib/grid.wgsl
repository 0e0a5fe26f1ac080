// Where a workgroup stands in a dispatch that was folded into two dimensions (a dimension holds at most 65,535
// groups on many devices).

fn group_number(group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return group.y * groups.x + group.x;
}
