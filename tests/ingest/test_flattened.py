from audittrail.ingest.dialects.flattened import head, rows, tree


def test_paths_fold_back_into_rows_in_the_order_of_their_indices():
    found = rows(tree({"10.message.role": "c", "2.message.role": "b", "0.message.role": "a", "0.message.x.y": 1}))
    assert [row["message"]["role"] for row in found] == ["a", "b", "c"]
    assert found[0]["message"]["x"] == {"y": 1}


def test_what_is_no_row_is_left_out():
    assert rows(tree({"a.role": 1, "0": "leaf", "-1.x": 1, "²1.x": 1, "9999999999.x": 1, "": 2, ".": 3})) == []
    assert rows("text") == rows(None) == []


def test_the_deeper_path_wins_over_a_leaf_of_its_name_in_either_order():
    assert rows(tree({"0.message": "x", "0.message.role": "a"}))[0]["message"] == {"role": "a"}
    assert rows(tree({"0.message.role": "a", "0.message": "x"}))[0]["message"] == {"role": "a"}


def test_an_attribute_that_is_a_map_is_a_leaf():
    assert rows(tree({"0": {"message": 1}})) == []


def test_a_million_dots_cost_one_value():
    assert rows(tree({"0.a" + ".b" * 1_000_000: 1})) != []


def test_head_is_two_steps():
    assert head("llm.input_messages.0.message.role") == "llm.input_messages."
    assert head("llm.model") == head("plain") == head("") == ""
